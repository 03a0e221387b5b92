# The two commands of the README are `make demo` and `make test`; each installs and builds what it needs.

SWIFT ?= swift
FLAGS = -c release

.PHONY: demo test check build install format clean

demo: build
	.build/release/scintivol demo

test: check
	$(SWIFT) test $(FLAGS) --skip-build --no-parallel

# Format, and that no module imports one it does not name. This is also the build of the tests.
check: install
	$(SWIFT) format lint --strict -r Sources Tests Package.swift
	$(SWIFT) build $(FLAGS) --build-tests --explicit-target-dependency-import-check error

build: install
	$(SWIFT) build $(FLAGS)

install:
	deploy/install

format:
	$(SWIFT) format format -i -r Sources Tests Package.swift
	clang-format -i Sources/C*/*.cpp Sources/C*/*.c Sources/C*/include/*.h

clean:
	rm -rf .build .deps
