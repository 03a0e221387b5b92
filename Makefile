# The two commands of the README are `make demo` and `make test`; each installs and builds what it needs.

SWIFT ?= swift
# The manifest holds the commit that results name: it is read anew for every build.
FLAGS = -c release --manifest-cache none --disable-build-manifest-caching

.PHONY: demo test check build install format clean model fuzz faults schemathesis performance

demo: build
	.build/release/scintivol demo

# Two tests at a time, one of them at most of the whole service, which mostly waits. Waiting threads of libraries do not
# spin: tests run processes beside each other.
test: check
	OMP_WAIT_POLICY=PASSIVE OPENBLAS_NUM_THREADS=1 $(SWIFT) test $(FLAGS) --skip-build --parallel \
		--experimental-maximum-parallelization-width 2

# Format, and that no module imports one it does not name. This is also the build of the tests.
check: install
	$(SWIFT) format lint --strict -r Sources Tests Package.swift
	$(SWIFT) build $(FLAGS) --build-tests --explicit-target-dependency-import-check error

build: install
	$(SWIFT) build $(FLAGS)

install:
	deploy/install

# The long runs, which continuous integration does not wait for.
model:
	SCINTIVOL_MODEL_STEPS=100000 $(SWIFT) test $(FLAGS) --skip-build --no-parallel --filter 'QueueModelTests|QueueRaceTests'

fuzz:
	HTTP_FUZZ_COUNT=10000000 $(SWIFT) test $(FLAGS) --skip-build --filter CorpusTests

faults:
	.build/release/benchmark faults --rounds 10 --markdown

# Queue and HTTP beside pgbench, nginx and Hummingbird, which is built on demand; then both while a job trains.
performance: build
	deploy/install benchmarks
	.build/release/benchmark queue
	.build/release/benchmark http --build-peers
	.build/release/benchmark contention

schemathesis:
	.ci/schemathesis

format:
	$(SWIFT) format format -i -r Sources Tests Package.swift
	clang-format -i Sources/C*/*.cpp Sources/C*/*.c Sources/C*/include/*.h

clean:
	rm -rf .build .deps
