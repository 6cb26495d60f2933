# Thin: every chore is a cargo xtask command.
CARGO ?= cargo
CC ?= cc

.PHONY: robot test bench check docs clean need

robot test bench check docs: need
	@$(CARGO) xtask $@

clean: need
	@$(CARGO) clean

need:
	@command -v $(CARGO) >/dev/null || { echo "Rust is missing: install its toolchain (rustc and cargo, 1.95 or later), then run make again." >&2; exit 1; }
	@command -v $(CC) >/dev/null || { echo "A C compiler is missing: install one (Debian: apt-get install gcc libc6-dev), then run make again." >&2; exit 1; }
