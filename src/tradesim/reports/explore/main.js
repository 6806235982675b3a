// Begin. A page that a server on this machine hands out has `live`, which asks the model itself.

let live = null;
const page = new Page();
if (data.live) {
  live = new Live(page);
  live.ask(true);
}
window.tradesim = {page, yaml: () => yamlOf(page.store.state), command: () => commandOf(page.store.state)};
