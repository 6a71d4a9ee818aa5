// The error of a model file or a network that cannot be used; its message is a sentence for the reader of the page.

export class ModelError extends Error {}
