// Imported first: what is measured runs in one thread and without a BLAS, unless the environment says otherwise.
process.env.ADJOINT_THREADS ??= "1"
process.env.ADJOINT_BLAS ??= "off"
