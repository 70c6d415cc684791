"""The parts of the writer: bodies become drafts, drafts become one statement per call, statements become outcomes."""
