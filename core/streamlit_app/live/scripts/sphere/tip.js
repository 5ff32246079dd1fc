// The tip beside the pointer: the label of a point and its picture, which come when they are there.
class Tip {
  constructor(view) {
    this.view = view;
    this.box = add("div", "os-tip", view.stage);
    this.image = add("img", "", this.box);
    this.image.alt = "";
    this.words = add("div", "", this.box);
    this.point = -1;
  }

  show(i, x, y) {
    if (i !== this.point) this.fill(i);
    this.box.style.display = i >= 0 ? "block" : "none";
    if (i >= 0) this.place(x, y);
  }

  fill(i) {
    const { labels, pictures, scene } = this.view;
    this.point = i;
    this.words.textContent = "";
    this.image.style.display = "none";
    this.image.removeAttribute("src");
    if (i < 0) return;
    labels.of(scene, i).then((text) => { if (this.point === i) { this.words.textContent = text; this.place(...this.at); } });
    if (!pictured(scene, i)) return;
    this.image.style.display = "block";
    this.showPicture();
    clearTimeout(this.dwelling);
    this.dwelling = setTimeout(() => pictures.ask(), 40);
  }

  showPicture() {   // where it has come
    const url = this.view.pictures.urlOf(this.point);
    if (url) this.image.src = url;
    else if (url === null) this.image.style.display = "none";
  }

  place(x, y) {
    this.at = [x, y];
    const { clientWidth: width, clientHeight: height } = this.view.stage, box = this.box;
    const left = x + 16 + box.offsetWidth > width ? x - 16 - box.offsetWidth : x + 16;
    const top = Math.max(4, Math.min(y + 14, height - box.offsetHeight - 4));
    box.style.left = Math.max(4, left) + "px";
    box.style.top = top + "px";
  }
}
