import { mount } from "svelte";
import Door from "./Door.svelte";
import "./kit/theme.css";
import "./lib/theme.svelte.ts";

const target = document.getElementById("app");
if (target) mount(Door, { target });
