# Writes the data sets that come with packages of R as CSV files: Rscript bench/tabular/prepare.R FOLDER
# Debian: r-base-core r-cran-mass r-cran-kernlab r-cran-modeldata. `prepare.py` divides them.
folder <- commandArgs(trailingOnly = TRUE)[1]
dir.create(folder, recursive = TRUE, showWarnings = FALSE)
put <- function(table, name) {
  # a header that needs no quotes, and empty cells for what is not known
  names(table) <- gsub("[^A-Za-z0-9]+", "_", names(table))
  write.csv(table, file.path(folder, paste0(name, ".csv")), row.names = FALSE, na = "")
}

# Air quality in New York, May to September 1973; 37 days have no Ozone, which is what is predicted
air <- subset(datasets::airquality, !is.na(Ozone))
air$Date <- as.Date(sprintf("1973-%02d-%02d", air$Month, air$Day))
put(air[, c("Date", "Solar.R", "Wind", "Temp", "Ozone")], "airquality")

put(MASS::Boston, "boston")

data(spam, package = "kernlab")
put(spam, "spam")

suppressPackageStartupMessages(library(modeldata))
data(ames, Chicago, credit_data, stations)
put(as.data.frame(ames), "ames")
# without the ridership of other stations two weeks before: what is left are date, weather and games
put(as.data.frame(Chicago)[, setdiff(names(Chicago), stations)], "chicago")
put(credit_data, "credit")
