/** Short words about what has just happened; App.svelte shows them at the bottom. */

export interface ToastAction {
  label: string;
  run: () => void;
}

export interface ToastMessage {
  id: number;
  text: string;
  kind: "done" | "problem";
  action?: ToastAction | undefined;
}

const SHOWN_MS = { done: 5000, problem: 10000 } as const;

class Toasts {
  list = $state.raw<readonly ToastMessage[]>([]);
  #next = 1;

  show(text: string, options: { kind?: ToastMessage["kind"]; action?: ToastAction } = {}): void {
    const kind = options.kind ?? "done";
    const id = this.#next++;
    this.list = [...this.list.slice(-2), { id, text, kind, action: options.action }];
    setTimeout(() => this.hide(id), SHOWN_MS[kind]);
  }

  problem(text: string): void {
    this.show(text, { kind: "problem" });
  }

  hide(id: number): void {
    this.list = this.list.filter((one) => one.id !== id);
  }
}

export const toasts = new Toasts();
