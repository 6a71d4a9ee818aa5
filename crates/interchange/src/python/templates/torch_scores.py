def scores_in_pytorch(network, images, heads, device="cpu"):
    """Each head's scores of images, which are bytes [images, height, width, channels]."""
    found = {head: [] for head in heads}
    with torch.inference_mode():
        for batch in np.array_split(images, len(images) // 500 + 1):
            output = network(torch.tensor(batch, device=device).permute(0, 3, 1, 2).float() / 255)
            # A network with one head gives its scores as they are.
            output = output if isinstance(output, dict) else dict.fromkeys(heads, output)
            for head in heads:
                found[head].append(output[head].cpu().numpy())
    return {head: np.concatenate(parts) for head, parts in found.items()}
