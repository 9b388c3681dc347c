// Text from outside within markup.

/** What neither XML nor HTML may hold: controls, halves of pairs. */
const FORBIDDEN = /(?![\t\n\r])[\p{Cc}\p{Cs}\ufffe\uffff]/gu
const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" }

export const allowed = (text: string): string => text.replaceAll(FORBIDDEN, "\ufffd")

/** Text as it may stand between tags and in quoted attributes of HTML and SVG. */
export const escaped = (text: string): string => allowed(text).replaceAll(/[&<>"']/g, sign => ENTITIES[sign]!)

/** A name that may break behind its slashes and dots, escaped. */
export const nameOf = (name: string): string =>
  `<bdi class="name">${name
    .split(/(?<=[/.])/)
    .map(escaped)
    .join("<wbr>")}</bdi>`
