"""What organisations add to the model: their own fields and objects, built from definitions into the kernel's own values."""
