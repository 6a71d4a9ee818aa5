def scores_in_keras(network, images, heads):
    """Each head's scores of images, which are bytes [images, height, width, channels]."""
    found = {head: [] for head in heads}
    for batch in np.array_split(images, len(images) // 500 + 1):
        output = network.predict_on_batch(batch.astype("float32") / 255)
        # A network with one head gives its scores as they are.
        output = output if isinstance(output, dict) else dict.fromkeys(heads, output)
        for head in heads:
            found[head].append(output[head])
    return {head: np.concatenate(parts) for head, parts in found.items()}
