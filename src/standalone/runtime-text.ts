// Made by `npm run standalone` from src/standalone/runtime. Do not edit.
export const RUNTIME = `// src/data/cells.ts
var MISSING = new Set([
  "",
  "?",
  "na",
  "n/a",
  "#n/a",
  "nan",
  "null"
]);
function isMissing(cell) {
  return cell.length <= 4 && MISSING.has(cell.toLowerCase());
}
var NUMBER = /^[+-]?(?:\\d+\\.?\\d*|\\.\\d+)(?:[eE][+-]?\\d+)?$/;
function numberOf(cell, decimal) {
  const plain = plainNumber(cell, decimal === "," ? 44 : 46);
  if (plain !== void 0) return plain;
  const text = decimal === "," ? cell.replace(",", ".") : cell;
  if (!NUMBER.test(text)) return NaN;
  const value = Number(text);
  return Number.isFinite(value) ? value : NaN;
}
var POWERS = Array.from({ length: 16 }, (_, k) => 10 ** k);
function plainNumber(cell, point) {
  const first = cell.charCodeAt(0);
  let value = 0;
  let digits = 0;
  let decimals = -1;
  for (let i = first === 45 || first === 43 ? 1 : 0; i < cell.length; i++) {
    const code = cell.charCodeAt(i);
    if (code >= 48 && code <= 57) {
      value = value * 10 + (code - 48);
      digits++;
      if (decimals >= 0) decimals++;
    } else if (code === point && decimals < 0) decimals = 0;
    else return void 0;
  }
  if (digits === 0 || digits > 15) return void 0;
  const size = decimals > 0 ? value / POWERS[decimals] : value;
  return first === 45 ? -size : size;
}
function categoryOf(cell) {
  return cell.endsWith("0") ? cell.replace(/^([+-]?\\d+)\\.0+$/, "$1") : cell;
}
// src/data/dates.ts
var TIME = /(?:[T ](\\d{1,2}):(\\d{2})(?::(\\d{2})(?:[.,]\\d+)?)? ?(?:Z|[+-]\\d{2}:?\\d{2})?)?$/.source;
var FORMS = {
  ymd: new RegExp(/^(\\d{4})(?:-(\\d{1,2})-|\\/(\\d{1,2})\\/)(\\d{1,2})/.source + TIME),
  dmy: new RegExp(/^(\\d{1,2})\\.(\\d{1,2})(\\.)(\\d{4})/.source + TIME)
};
var DAY = 864e5;
function daysOf(cell, order) {
  if (cell.length < 8 || cell.length > 40) return NaN;
  const found = FORMS[order].exec(cell);
  if (found === null) return NaN;
  const [year, month, day] = order === "ymd" ? [
    found[1],
    found[2] ?? found[3],
    found[4]
  ].map(Number) : [
    found[4],
    found[2],
    found[1]
  ].map(Number);
  const [hours, minutes, seconds] = [
    found[5],
    found[6],
    found[7]
  ].map((part) => Number(part ?? 0));
  const date = new Date(Date.UTC(year, month - 1, day));
  if (!(date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day) || hours > 23 || minutes > 59 || seconds > 59) return NaN;
  return (date.getTime() + ((hours * 60 + minutes) * 60 + seconds) * 1e3) / DAY;
}
function writeDate({ mean, std, times }, days, x, at) {
  const day = Math.floor(days);
  const year = new Date(day * DAY).getUTCFullYear();
  const [from, to] = [Date.UTC(year) / DAY, Date.UTC(year + 1) / DAY];
  const ofYear = (days - from) / (to - from);
  x[at] = (days - mean) / std;
  x[at + 1] = sine(ofYear);
  x[at + 2] = sine(ofYear + .25);
  x[at + 3 + ((day + 3) % 7 + 7) % 7] = 1;
  if (!times) return;
  x[at + 10] = sine(days - day);
  x[at + 11] = sine(days - day + .25);
}
function sine(turns) {
  const turn = turns - Math.round(turns);
  const x = 2 * Math.PI * (Math.abs(turn) > .25 ? Math.sign(turn) * .5 - turn : turn);
  const s = x * x;
  return x * (1 - s / 6 * (1 - s / 20 * (1 - s / 42 * (1 - s / 72 * (1 - s / 110 * (1 - s / 156))))));
}
// src/data/errors.ts
var DataError = class extends Error {
  name = "DataError";
};
// src/data/encoding.ts
var widthOf = (column) => column.kind === "number" ? 1 : column.kind === "category" ? column.values.length : column.times ? 12 : 10;
// src/data/names.ts
function quote(text) {
  return JSON.stringify(text.length > 40 ? \`\${text.slice(0, 37)}...\` : text);
}
function listNames(names, limit = 12) {
  const shown = names.slice(0, limit).map(quote).join(", ");
  return names.length > limit ? \`\${shown} and \${names.length - limit} more\` : shown;
}
function closest(name, candidates) {
  const wanted = fold(name);
  let best;
  let bestDistance = Math.floor(wanted.length / 3) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(wanted, fold(candidate));
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}
function fold(name) {
  return name.toLowerCase().replace(/[\\s_\\-.]+/g, "");
}
function editDistance(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length];
}
// src/data/records.ts
function encodeRecords(encoding, records) {
  const { inputs } = encoding;
  const stride = inputs.reduce((n, column) => n + widthOf(column), 0);
  const x = new Float32Array(records.length * stride);
  const warnings = [];
  records.forEach((record, row) => {
    let at = row * stride;
    for (const column of inputs) {
      const where = \`row \${row + 1}, column \${quote(column.name)}\`;
      const cell = cellOf(record, column, row, inputs);
      if (isMissing(cell.text)) {} else if (column.kind === "number") x[at] = standardised(column, cell, where);
      else if (column.kind === "date") writeDate(column, dateOf(cell.text, column.order, where), x, at);
      else {
        const hot = column.values.indexOf(categoryOf(cell.text));
        if (hot >= 0) x[at + hot] = 1;
        else warnings.push(\`\${where}: \${quote(cell.text)} was not seen in training; it counts as none of \${listNames(column.values)}.\`);
      }
      at += widthOf(column);
    }
  });
  return {
    x,
    warnings
  };
}
function encodeAnswer(target, value, row) {
  const where = \`answer \${row + 1} (\${quote(target.name)})\`;
  const cell = textOf(value, where, target.kind);
  if (target.kind === "number") {
    if (isMissing(cell.text)) throw new DataError(\`\${where}: wanted a number, got \${quote(cell.text)}.\`);
    return standardised(target, cell, where);
  }
  const found = target.values.indexOf(categoryOf(cell.text));
  if (found < 0) throw new DataError(\`\${where}: wanted one of the classes \${listNames(target.values)}, got \${quote(cell.text)}.\`);
  return found;
}
function cellOf(record, column, row, inputs) {
  if (typeof record !== "object" || record === null || Array.isArray(record)) {
    const columns = listNames(inputs.map((input) => input.name));
    throw new DataError(\`row \${row + 1}: wanted an object with the columns \${columns}, got \${kindOf(record)}.\`);
  }
  if (!Object.hasOwn(record, column.name)) {
    const known = new Set(inputs.map((input) => input.name));
    const near = closest(column.name, Object.keys(record).filter((name) => !known.has(name)));
    throw new DataError(\`row \${row + 1}: column \${quote(column.name)} is missing.\${near === void 0 ? "" : \` Is it \${quote(near)}?\`} Give null if its value is not known.\`);
  }
  return textOf(record[column.name], \`row \${row + 1}, column \${quote(column.name)}\`, column.kind);
}
function textOf(value, where, kind) {
  if (value === null) return {
    text: "",
    number: void 0
  };
  if (typeof value === "string") return {
    text: value.trim(),
    number: void 0
  };
  if (kind === "date") throw new DataError(\`\${where}: wanted a date as text, got \${kindOf(value)}.\`);
  if (typeof value === "number" && Number.isFinite(value)) return {
    text: String(value),
    number: value
  };
  if (typeof value === "boolean" && kind !== "number") return {
    text: String(value),
    number: void 0
  };
  throw new DataError(\`\${where}: wanted \${kind === "number" ? "a finite number" : kind === "class" ? "the name of a class" : "a text or a number"}, got \${kindOf(value)}.\`);
}
function standardised(column, { text, number }, where) {
  const value = number ?? numberOf(text, ".");
  if (Number.isNaN(value)) throw new DataError(\`\${where}: wanted a number, got \${quote(text)}. Give null if its value is not known.\`);
  const scaled = Math.fround((value - column.mean) / column.std);
  if (!Number.isFinite(scaled)) throw new DataError(\`\${where}: \${quote(text)} is out of all proportion to the training rows, whose mean is \${column.mean}.\`);
  return scaled;
}
function dateOf(text, order, where) {
  const days = daysOf(text, order);
  if (!Number.isNaN(days)) return days;
  throw new DataError(\`\${where}: wanted a date such as \${order === "ymd" ? "2023-01-31" : "31.01.2023"}, got \${quote(text)}. Give null if it is not known.\`);
}
var kindOf = (value) => value === null ? "null" : value === void 0 ? "nothing" : Array.isArray(value) ? "a list" : typeof value === "object" ? "an object" : String(value);
// src/standalone/runtime/rows.ts
var isNumbers = (x) => ArrayBuffer.isView(x) ? "length" in x : Array.isArray(x) && x.length > 0 && x.every((v) => typeof v === "number");
function numbersOf(x, { size, dtype }, name) {
  if (isNumbers(x)) {
    const rows = x.length / size;
    if (!Number.isInteger(rows) || rows === 0) throw new RangeError(\`\${name}: wanted \${size} numbers a row; got \${x.length}, which are no whole rows\`);
    return {
      values: fitting(x, size, dtype, name),
      rows,
      list: rows > 1
    };
  }
  if (!Array.isArray(x) || x.length === 0) throw new TypeError(\`\${name}: wanted numbers, \${size} a row, or a list of such rows; got \${x === null ? "null" : Array.isArray(x) ? "an empty list" : typeof x}\`);
  const values = new Float64Array(x.length * size);
  x.forEach((row, i) => {
    if (!isNumbers(row)) throw new TypeError(\`\${name}: wanted \${size} numbers in row \${i + 1}; got something else than a list of numbers\`);
    if (row.length !== size) throw new RangeError(\`\${name}: wanted \${size} numbers in row \${i + 1}; got \${row.length}\`);
    values.set(row, i * size);
  });
  return {
    values: fitting(values, size, dtype, name),
    rows: x.length,
    list: true
  };
}
var FITS = {
  f32: ["finite numbers of 32 bits", (v) => Number.isFinite(Math.fround(v))],
  f64: ["finite numbers", Number.isFinite],
  i32: ["whole numbers of 32 bits", (v) => v === (v | 0)],
  u8: ["whole numbers from 0 to 255", (v) => v === (v & 255)]
};
function fitting(values, size, dtype, name) {
  const [wanted, fits] = FITS[dtype];
  for (let i = 0; i < values.length; i++) if (!fits(values[i])) throw new RangeError(\`\${name}: row \${Math.floor(i / size) + 1}, number \${i % size + 1} is \${values[i]}; wanted \${wanted}\`);
  return values;
}
function inputsOf({ encoding, x: place }, x) {
  if (encoding === null) return numbersOf(x, place, "x");
  if ("kind" in encoding) {
    const { values, rows, list } = numbersOf(x, place, "x");
    return {
      values: Float32Array.from(values, (v) => Math.fround(v) * encoding.scale),
      rows,
      list
    };
  }
  const records = Array.isArray(x) ? x : [x];
  if (records.length === 0) throw new TypeError("x: wanted a row or a list of rows; got an empty list");
  return {
    values: encodeRecords(encoding, records).x,
    rows: records.length,
    list: Array.isArray(x)
  };
}
function targetsOf({ encoding }, y, place) {
  if (encoding === null) return numbersOf(typeof y === "number" ? [y] : y, place, "y");
  const list = Array.isArray(y) || ArrayBuffer.isView(y) ? Array.from(y) : [y];
  return {
    values: list.map((value, i) => encodeAnswer(encoding.target, value, i)),
    rows: list.length,
    list: true
  };
}
// src/standalone/runtime/saved.ts
var MARK = 1936352353;
var FORMAT = 1;
var HEAD = 20;
var table;
function crc32(bytes) {
  table ??= Uint32Array.from({ length: 256 }, (_, n) => {
    let c = n;
    for (let k = 0; k < 8; k++) c = c & 1 ? 3988292384 ^ c >>> 1 : c >>> 1;
    return c;
  });
  let c = 4294967295;
  for (const byte of bytes) c = table[(c ^ byte) & 255] ^ c >>> 8;
  return (c ^ 4294967295) >>> 0;
}
function pack(content, kind) {
  const bytes = new Uint8Array(HEAD + content.length);
  const head = new DataView(bytes.buffer);
  for (const [i, word] of [
    MARK,
    FORMAT,
    kind,
    content.length,
    crc32(content)
  ].entries()) head.setUint32(4 * i, word, true);
  bytes.set(content, HEAD);
  return bytes;
}
function unpack(bytes, kind, length) {
  if (!(bytes instanceof Uint8Array)) throw new TypeError("load: wanted the bytes that save() gave, a Uint8Array");
  const refuse = (why) => new Error(\`load: \${why}; the model stays as it is\`);
  if (bytes.length < HEAD) throw refuse(\`\${bytes.length} bytes are too few\`);
  const head = new DataView(bytes.buffer, bytes.byteOffset, HEAD);
  const [mark, format, ofKind, size, sum] = [
    0,
    1,
    2,
    3,
    4
  ].map((i) => head.getUint32(4 * i, true));
  if (mark !== MARK) throw refuse("these bytes are not from save()");
  if (format !== FORMAT) throw refuse(\`the bytes have format \${format}, this module reads format \${FORMAT}\`);
  if (ofKind !== kind) throw refuse("the bytes are of a module with another model or optimizer");
  if (size !== length || bytes.length !== HEAD + length) throw refuse(\`the bytes are cut or joined: wanted \${HEAD + length}, got \${bytes.length}\`);
  const content = bytes.subarray(HEAD);
  if (crc32(content) !== sum) throw refuse("the bytes are damaged: their checksum is another");
  return content;
}
// src/standalone/runtime/main.ts
var ARRAYS = {
  f32: Float32Array,
  f64: Float64Array,
  i32: Int32Array,
  u8: Uint8Array
};
var Machine = class Machine {
  memory;
  arena;
  programs = new Map();
  constructor({ pages, arena }) {
    this.memory = new WebAssembly.Memory({
      initial: pages,
      maximum: 65536
    });
    this.arena = arena;
  }
  static async start(d, code) {
    const machine = new Machine(d);
    const module = await WebAssembly.compile(code);
    const section = (name) => WebAssembly.Module.customSections(module, name)[0];
    const env = { memory: machine.memory };
    const lib = (await WebAssembly.instantiate(module, { env })).exports;
    machine.bytes(d.data).set(new Uint8Array(section("data")));
    for (const p of [...d.predict, ...d.training?.steps ?? []]) {
      const { instance } = await WebAssembly.instantiate(section(p.section), {
        env,
        lib
      });
      machine.programs.set(p.section, instance.exports.run);
      machine.view({
        at: p.table,
        dtype: "i32",
        size: p.addresses.length
      }).set(p.addresses);
    }
    return machine;
  }
  bytes(from, to) {
    return new Uint8Array(this.memory.buffer, from, to === void 0 ? void 0 : to - from);
  }
  view({ at, dtype, size }, rows = 1) {
    return new ARRAYS[dtype](this.memory.buffer, at, size * rows);
  }
  run({ section, table }) {
    this.programs.get(section)(this.arena, table);
  }
};
function compute(machine, d, { values, rows }, of) {
  const all = new ARRAYS[of.dtype](rows * of.size);
  const { size } = d.x;
  const program = d.predict.find((p) => p.rows >= rows) ?? d.predict.at(-1);
  for (let from = 0; from < rows; from += program.rows) {
    const n = Math.min(program.rows, rows - from);
    const x = machine.view(d.x, program.rows).fill(0);
    for (let i = 0; i < n * size; i++) x[i] = values[from * size + i];
    machine.run(program);
    all.set(machine.view(of, n), from * of.size);
  }
  return all;
}
var split = (values, { rows, list }, size) => list ? Array.from({ length: rows }, (_, i) => values.slice(i * size, (i + 1) * size)) : values;
function answers(machine, d, rows) {
  const { target } = d.encoding;
  const place = d.probabilities ?? d.outputs;
  const values = compute(machine, d, rows, place);
  const all = Array.from({ length: rows.rows }, (_, row) => {
    const own = Array.from(values.subarray(row * place.size, (row + 1) * place.size));
    if (target.kind === "number") return { prediction: Number((own[0] * target.std + target.mean).toPrecision(7)) };
    const probabilities = Object.fromEntries(target.values.map((name, k) => [name, Number(own[k].toPrecision(6))]));
    return {
      prediction: target.values[own.indexOf(Math.max(...own))],
      probabilities
    };
  });
  return rows.list ? all : all[0];
}
function learn(machine, d, t, x, y) {
  const inputs = inputsOf(d, x);
  const targets = targetsOf(d, y, t.y);
  const { rows } = inputs;
  if (targets.rows !== rows) throw new RangeError(\`step: wanted as many answers as rows; got \${targets.rows} for \${rows}\`);
  const program = t.steps.find((s) => s.rows === rows);
  if (!program) throw new RangeError(\`step: wanted \${t.steps.map((s) => s.rows).join(" or ")} rows; got \${rows}\`);
  machine.view(d.x, rows).set(inputs.values);
  machine.view(t.y, rows).set(targets.values);
  machine.run(program);
  machine.view({
    at: t.counter,
    dtype: "i32",
    size: 1
  })[0] += 1;
  return machine.view(t.loss)[0];
}
async function open(d, code) {
  const machine = await Machine.start(d, code);
  const plain = (x, rows) => {
    return split(compute(machine, d, rows, d.outputs), {
      ...rows,
      list: Array.isArray(x) && typeof x[0] === "object"
    }, d.outputs.size);
  };
  const outputs = (x) => plain(x, numbersOf(x, d.x, "x"));
  const training = () => d.training;
  return {
    info: d.info,
    outputs,
    predict: (x) => d.encoding === null ? outputs(x) : answers(machine, d, inputsOf(d, x)),
    step: (x, y) => learn(machine, d, training(), x, y),
    save: () => pack(machine.bytes(training().from, training().end), training().kind),
    load: (bytes) => machine.bytes(training().from).set(unpack(bytes, training().kind, training().end - training().from))
  };
}
async function read(url) {
  const { process } = globalThis;
  if (url.protocol === "file:" && process?.versions?.node !== void 0) return (await import("node:fs/promises")).readFile(url);
  const response = await fetch(url);
  if (!response.ok) throw new Error(\`\${url} cannot be read: \${response.status} \${response.statusText}\`);
  return new Uint8Array(await response.arrayBuffer());
}
var decode = (base64) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));`
