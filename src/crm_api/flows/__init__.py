"""Operations that span objects: each one transaction through the kernel, called by routes, jobs and the command line."""
