"""Questions about runs answered from columns in memory, whatever database they are read from. Needs numpy."""
