import { toasts } from "../../kit/toasts.svelte.ts";

/** True if it is on the clipboard now; says so when it could not be put there. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    toasts.problem("The browser did not allow copying. Select the text and copy it by hand.");
    return false;
  }
}

/** Saves a text made here as a file. */
export function downloadText(text: string, name: string, mediaType: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: mediaType }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
