"""The HTTP face: the application, its middleware, problem details, limits, health and the reference pages."""
