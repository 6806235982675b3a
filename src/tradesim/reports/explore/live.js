// The model itself, on this machine: asked when the handle is let go, and marked when it has answered.

class Live {
  constructor(page) {
    this.page = page;
    this.last = null;
    this.turn = 0;
  }

  async ask(settled) {
    const state = this.page.store.saved;
    if (!settled || state === this.last) {
      if (state !== this.last) this.mark(words.notices.emulated);
      return;
    }
    const turn = this.turn += 1;
    this.mark(words.notices.checking);
    try {
      const {growth, year, target, pulls} = this.page.store.state;
      const answer = await fetch("answer", {method: "POST", headers: {"Content-Type": "application/json"},
        body: JSON.stringify({growth, year, target, pulls})});
      if (!answer.ok) throw new Error(answer.statusText);
      const found = await answer.json();
      if (turn !== this.turn) return;
      this.last = state;
      this.page.checked(found);
      this.mark(words.notices.checked);
    } catch {
      if (turn === this.turn) this.mark(words.notices.offline);
    }
  }

  mark(text) {
    byId("mark").textContent = text;
    byId("mark").classList.toggle("checked", text === words.notices.checked);
  }
}
