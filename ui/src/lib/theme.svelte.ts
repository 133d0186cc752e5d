/** Light or dark: follows the system until somebody chooses; the choice is kept in this browser. */

export type ThemeChoice = "system" | "light" | "dark";
export type ThemeName = "light" | "dark";

const KEY = "lineal.theme";
const CHOICES: readonly string[] = ["system", "light", "dark"];

function stored(): ThemeChoice {
  try {
    const value = localStorage.getItem(KEY) ?? "";
    return CHOICES.includes(value) ? (value as ThemeChoice) : "system";
  } catch {
    return "system"; // storage is forbidden here: the system's choice does
  }
}

class Theme {
  #system: MediaQueryList | null = typeof matchMedia === "function" ? matchMedia("(prefers-color-scheme: dark)") : null;
  #choice = $state<ThemeChoice>(stored());
  #systemDark = $state(this.#system?.matches ?? false);

  constructor() {
    this.#system?.addEventListener("change", (event) => {
      this.#systemDark = event.matches;
      this.#apply();
    });
    this.#apply();
  }

  get choice(): ThemeChoice {
    return this.#choice;
  }

  /** What is drawn: a canvas that reads tokens draws again when this changes. */
  get name(): ThemeName {
    if (this.#choice !== "system") return this.#choice;
    return this.#systemDark ? "dark" : "light";
  }

  choose(choice: ThemeChoice): void {
    this.#choice = choice;
    this.#apply();
    try {
      localStorage.setItem(KEY, choice);
    } catch {
      // not kept; it still holds for this page
    }
  }

  #apply(): void {
    document.documentElement.dataset["theme"] = this.name;
  }
}

export const theme = new Theme();
