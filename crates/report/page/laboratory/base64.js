// Bytes as base64, the page's for what it holds and the addresses' for what they name.

/** Bytes as base64url, whose letters an address takes as they are. */
export function bytesToText(bytes) {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** The bytes of a base64url text; undefined where it is none. */
export function bytesFromText(text) {
  if (!/^[\w-]*$/.test(text) || text.length % 4 === 1) return undefined;
  return bytesFromBase64(text.replaceAll("-", "+").replaceAll("_", "/"));
}

/** The bytes of a base64 text. */
export function bytesFromBase64(text) {
  if (typeof Uint8Array.fromBase64 === "function") return Uint8Array.fromBase64(text);
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i += 1) bytes[i] = letters.charCodeAt(i);
  return bytes;
}
