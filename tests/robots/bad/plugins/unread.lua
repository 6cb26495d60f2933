-- It cannot be understood.
if arg[1] == "_configure" then
