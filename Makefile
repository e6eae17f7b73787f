# Everything from a fresh Debian or Ubuntu machine with Swift 6, git and make.

.PHONY: demo test bench lint docs setup

# Trains the first network on Fashion-MNIST and prints its accuracy on images that it has not seen.
demo: setup
	swift build -c release --product fovea
	.build/release/fovea train fashion-mnist --network fashion-cnn --epochs 10 --batch-size 128 \
		--validation 0.1 --output runs/fashion-cnn

# Debug builds would compile the C kernels without optimization, many times slower.
test: setup
	swift test --disable-xctest -Xcc -O2

# Times Fovea and its peers in turn and writes docs/benchmarks.md. torch.compile needs a C++ compiler.
bench: setup
	scripts/setup python3-venv python3-dev g++
	swift build -c release --product fovea
	python3 -m venv .venv
	.venv/bin/pip install --quiet --requirement Benchmarks/peers/requirements.txt
	python3 Benchmarks/compare.py --python .venv/bin/python --output docs/benchmarks.md

lint:
	swift format lint --strict --recursive Package.swift Sources Tests Examples

# API documentation for a web server, in .build/documentation.
docs: setup
	swift package --allow-writing-to-directory .build/documentation generate-documentation \
		--enable-experimental-combined-documentation --transform-for-static-hosting \
		--target FoveaGraph --target FoveaDatasets --target FoveaLayers --target FoveaModels \
		--target FoveaPlanner --target FoveaRuntime --target FoveaSignal --target FoveaTraining \
		--target FoveaSaving \
		--output-path .build/documentation

setup:
	@scripts/setup
