// Carries pictures to a live sphere: what the view asks for goes to the page, what the page sends goes to the view.
export default function (component) {
  const { data, parentElement, setStateValue } = component;
  const host = parentElement.getRootNode().host ?? parentElement;
  const box = host.closest?.("[data-testid=stElementContainer]");
  if (box) box.style.display = "none";
  if (!data) return;
  const bytes = data, view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getUint32(0, true);
  const answer = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  let at = 4 + length;
  answer.blobs = answer.sizes.map((size) => {
    const blob = size ? new Blob([bytes.slice(at, at + size)]) : null;
    at += size;
    return blob;
  });
  const lines = (window.__orrery_lines ??= new Map());
  if (!lines.has(answer.view)) lines.set(answer.view, {});
  const line = lines.get(answer.view);
  line.ask = (wanted) => setStateValue("wanted", wanted);
  line.hear?.(answer);
}
