// Carries pictures to a live sphere: what the view asks for goes to the page, what the page sends goes to the view.
export default function (component) {
  const { data, parentElement, setStateValue } = component;
  const host = parentElement.getRootNode().host ?? parentElement;
  const box = host.closest?.("[data-testid=stElementContainer]");
  if (box) box.style.display = "none";
  if (!data) return;
  const [answer, take] = unpack(data), all = take(Uint8Array, answer.sizes.reduce((a, b) => a + b, 0));
  let at = 0;
  answer.blobs = answer.sizes.map((size) => {
    const blob = size ? new Blob([all.subarray(at, at + size)]) : null;
    at += size;
    return blob;
  });
  const line = lineOf(answer.view);
  line.ask = (wanted) => setStateValue("wanted", wanted);
  line.hear?.(answer);
}
