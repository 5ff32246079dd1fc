// What a page sends in one run of bytes: a header as JSON, then runs of numbers, each at a multiple of four.
function unpack(bytes) {
  const length = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  let at = 4 + length;
  const take = (Type, count) => {   // the next run of numbers
    const size = count * Type.BYTES_PER_ELEMENT, array = new Type(bytes.slice(at, at + size).buffer);
    at += size + ((4 - (size % 4)) % 4);
    return array;
  };
  return [header, take];
}
