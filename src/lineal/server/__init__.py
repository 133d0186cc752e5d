"""The app: routes over a `Source`, the page's files, live updates. Knows no SQL, no SDK and no folder."""
