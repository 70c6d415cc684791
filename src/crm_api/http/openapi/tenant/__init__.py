"""An organisation's own description: that of all organisations with its fields and objects in it, and without what the caller
may not see."""
