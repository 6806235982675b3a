"""Ground of all rooms: arrays with names, errors, files, parallel work."""
