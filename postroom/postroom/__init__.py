"""The command line: runs the whole stack on one machine, and operates a running one."""
