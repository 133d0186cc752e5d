import { mount } from "svelte";
import Door from "./Door.svelte";
import "./kit/theme.css";
import { translated } from "./lib/foreign-links.ts";
import "./lib/theme.svelte.ts";
import { view } from "./lib/url-state.svelte.ts";

const meant = translated(location.pathname, location.hash);
if (meant !== null) view.go(meant, "replace");

const target = document.getElementById("app");
if (target) mount(Door, { target });
