# The front doors. Each does all its own set-up on a fresh Debian 12 (as root; only python3 and
# make have to be there), does nothing twice, and says what it does.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

# Ansible wants UTF-8, which a bare machine's locale is not; and this tree's settings, also when
# the folder is writable by others.
export LC_ALL := C.UTF-8
export ANSIBLE_CONFIG := $(CURDIR)/ansible.cfg

# Debian's own Python: the one that a node runs modules with.
PYTHON := /usr/bin/python3
VENV := .venv
BIN := $(VENV)/bin
BENCH_VENV := .venv-bench
IMAGE_VENV := .venv-image
# Controllers that the collection is tested with; the third one's Python is not in Debian 12.
CONTROLLERS ?= lowest newest
PYTHON_NEXT ?= python3.13
CONTROLLER_VENVS = $(CONTROLLERS:%=.venv-ansible-%)
INVENTORY ?= inventories/local
COLLECTION := ansible_collections/pextra/ce
RESULTS := .cache/results
# Lanes of suites: those of one lane run one after the other, the lanes beside each other.
LANES := lint,unit,sanity integration mirror,controllers
# Scenarios of molecule; each boots the nodes that it names, and waits for them for a part of its time:
# three at a time keep two processors busy. The ones that take longest begin.
LONGEST := storage cluster-network network mirror
ALL_SCENARIOS := $(LONGEST) $(filter-out $(LONGEST),\
	$(patsubst molecule/%/molecule.yml,%,$(wildcard molecule/*/molecule.yml)))
# The installer's is `make test-iso`'s.
SCENARIOS ?= $(filter-out install,$(ALL_SCENARIOS))
JOBS ?= 3
# How `make test-iso` installs; see image/tests/system/test_install.py. What needs the medium waits
# for it: the scenario install does not.
FULL_WAYS := $(addprefix test-iso-,unattended-secureboot-cd unattended-uefi-usb typed-bios-usb)
WAYS := test-iso-unattended-bios-cd test-iso-typed-uefi-cd $(FULL_WAYS)
ISO_LANES := medium,test-iso-unattended-bios-cd test-lab-install,test-iso-medium \
	test-iso-typed-uefi-cd $(if $(filter 1,$(FULL)),$(FULL_WAYS))
PYTEST_IMAGE = $(IMAGE_VENV)/bin/pytest --timeout 3600 --junitxml=$(RESULTS)/$@.xml \
	$(if $(filter 1,$(FULL)),,-m 'not full') $(ARGS)
# Shell scripts for shellcheck.
SCRIPTS := .ci/run debian/install-ansible debian/install-collection debian/install-installer \
	debian/install-wheels debian/installer-command debian/install-engine \
	debian/license-prompt.sh \
	image/pextra-image scripts/apt-install scripts/install-collection scripts/lab scripts/sanity \
	scripts/start-libvirt scripts/test-scenario \
	$(addprefix $(COLLECTION)/roles/demo_guest/files/guest/usr/lib/pextra-demo/,lease start stop)

# Further arguments, for example: make unit ARGS='-k sizes', make up ARGS='--check --diff'
ARGS ?=

PIP_INSTALL := -m pip install --quiet --require-hashes --only-binary :all:

PACKAGES_VENV := ca-certificates libpq5 python3-apt python3-venv
PACKAGES_DEV := $(PACKAGES_VENV) busybox-static git gnupg grub-common shellcheck
PACKAGES_QEMU := $(if $(filter aarch64,$(shell uname -m)),qemu-efi-aarch64 qemu-system-arm,\
	ovmf qemu-system-x86)
PACKAGES_NODE := busybox-static iproute2 libvirt-clients libvirt-daemon-driver-lxc \
	libvirt-daemon-system postgresql python3-argon2 python3-cryptography python3-lark \
	python3-libvirt python3-psycopg python3-yaml qemu-utils swtpm swtpm-tools xorriso zstd \
	$(PACKAGES_QEMU)
# What integration tests need besides: a pooler of transactions between an engine and its store, and
# what makes a cloud guest's disk.
PACKAGES_INTEGRATION := dosfstools e2fsprogs mmdebstrap mtools pgbouncer systemd
# A way for the tests of controllers to become root.
PACKAGES_CONTROLLERS := sudo
# What boots nodes; what is in them is in molecule/lab/base.py, besides PACKAGES_NODE.
PACKAGES_LAB := e2fsprogs iproute2 mmdebstrap openssh-client patchelf procps squashfs-tools \
	systemd-container user-mode-linux
# What makes Debian packages and the medium, and what tests them.
PACKAGES_IMAGE := $(PACKAGES_VENV) apt-utils cpio debhelper dosfstools dpkg-dev git gnupg grub-common \
	mmdebstrap mtools procps python3-pip python3-yaml squashfs-tools sudo xorriso
# A medium of another architecture is made by qemu-user; here it is arm64, which is booted too.
PACKAGES_IMAGE_ARM64 := arch-test binfmt-support qemu-efi-aarch64 qemu-system-arm qemu-user-static
PACKAGES_IMAGE_TEST := diffoscope-minimal lintian openssh-client qemu-utils systemd-container \
	$(PACKAGES_QEMU) \
	$(if $(filter 1,$(FULL)),$(PACKAGES_IMAGE_ARM64))
PACKAGES_SCREENSHOTS := fonts-dejavu-core
PACKAGES_MIRROR := aptly curl debian-archive-keyring gnupg gpgv mmdebstrap nginx-light zstd
# community.libvirt needs lxml on the node.
PACKAGES_BENCH := python3-lxml
# What pextra-mirror is measured against.
PACKAGES_BENCH_MIRROR := debmirror rsync
# apt-mirror2, which PyPI calls apt-mirror.
APT_MIRROR2 := .cache/apt-mirror2
# What the medium is measured against.
PACKAGES_BENCH_MEDIUM := debootstrap live-build

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# They use the collection as it is installed from its tarball.
up down bench: export ANSIBLE_COLLECTIONS_PATH := $(CURDIR)/.cache/collections

.PHONY: up
up: installed-collection ## install what is missing and make this machine a running cloud
	$(BIN)/ansible-playbook -i $(INVENTORY) pextra.ce.site $(ARGS)

.PHONY: down
down: installed-collection ## remove what `make up` made; asks first, unless YES=1
	$(BIN)/ansible-playbook -i $(INVENTORY) pextra.ce.teardown \
		$(if $(filter 1,$(YES)),-e teardown_confirmed=true) $(ARGS)

.PHONY: test
test: dev node-engine integration-packages controller-packages ## lint, sanity, unit, integration and controllers, then one table
	@$(BIN)/python scripts/run_suites.py --results $(RESULTS) $(LANES)

.PHONY: lint
lint: dev ## ruff, mypy, yamllint, ansible-lint, shellcheck, changelog fragments
	@$(MAKE) --keep-going --jobs=2 --output-sync=target $(LINTERS)

# All of them run, also when one fails. No set-up of their own: `make lint` does it.
LINTERS := lint-ansible lint-mypy lint-ruff lint-yaml lint-shell lint-changelog lint-generated
.PHONY: $(LINTERS)
lint-ansible:
	PATH="$(CURDIR)/$(BIN):$$PATH" ansible-lint --nocolor
lint-mypy:
	$(BIN)/mypy
lint-ruff:
	$(BIN)/ruff check --output-format concise .
	$(BIN)/ruff format --check .
lint-yaml:
	$(BIN)/yamllint --strict .
lint-shell:
	shellcheck $(SCRIPTS)
lint-generated:
	PYTHONPATH=. $(BIN)/python scripts/generate_modules.py --check
	$(BIN)/python scripts/generate_copies.py --check
lint-changelog:
	cd $(COLLECTION) && $(CURDIR)/$(BIN)/antsibull-changelog lint

.PHONY: generate
generate: dev ## write what follows from the fields: modules, types of rows, copies for bare machines
	PYTHONPATH=. $(BIN)/python scripts/generate_modules.py
	$(BIN)/python scripts/generate_copies.py

.PHONY: sanity
sanity: dev engine ## ansible-test sanity, on what the tarball carries too; no ignore file
	scripts/sanity $(CURDIR)/$(BIN) $(ARGS)

.PHONY: unit
unit: dev ## tests of the pure parts; touches nothing on this machine
	$(BIN)/pytest -n auto --junitxml=$(RESULTS)/unit.xml $(COLLECTION)/tests/unit image/tests/unit \
		installer/tests/unit molecule/lab/tests pextra/tests $(ARGS)

.PHONY: integration
integration: dev node-engine integration-packages ## tests on this machine's own PostgreSQL, libvirt and network
	scripts/start-libvirt
	$(BIN)/pytest -n 2 --dist worksteal -m 'not long' --junitxml=$(RESULTS)/integration.xml \
		$(COLLECTION)/tests/integration $(ARGS)

.PHONY: controllers
controllers: dev node-engine controller-packages $(CONTROLLER_VENVS:=/.controller) ## the built collection, installed, under the oldest and the newest ansible-core
	$(BIN)/pytest --junitxml=$(RESULTS)/controllers.xml $(COLLECTION)/tests/controllers \
		$(CONTROLLER_VENVS:%=--controller=%) $(ARGS)

.PHONY: test-long
test-long: dev node-engine integration-packages mirror-packages ## tests that take minutes each, then one table
	@$(BIN)/python scripts/run_suites.py --results $(RESULTS) integration-long mirror-long

.PHONY: integration-long
integration-long: dev node-engine integration-packages
	scripts/start-libvirt
	$(BIN)/pytest -n 2 --dist worksteal -m long --timeout 1800 --junitxml=$(RESULTS)/integration-long.xml \
		$(COLLECTION)/tests/integration $(ARGS)

.PHONY: test-lab
test-lab: dev lab-packages installed-collection ## scenarios on nodes of their own; one alone: SCENARIOS=default
	@$(BIN)/python scripts/run_suites.py --results $(RESULTS) --jobs $(JOBS) \
		$(addprefix test-lab-,$(SCENARIOS))

.PHONY: $(addprefix test-lab-,$(ALL_SCENARIOS))
$(addprefix test-lab-,$(ALL_SCENARIOS)): test-lab-%: dev lab-packages installed-collection
	scripts/test-scenario $* $(ARGS)

.PHONY: mirror
mirror: dev mirror-packages ## tests of mirror/: real aptly, signed sources, apt clients, bundles
	$(BIN)/pytest -n 2 -m 'not long' --junitxml=$(RESULTS)/mirror.xml mirror/tests $(ARGS)

.PHONY: mirror-long
mirror-long: dev mirror-packages
	$(BIN)/pytest -n 2 -m long --timeout 1800 --junitxml=$(RESULTS)/mirror-long.xml mirror/tests $(ARGS)

.PHONY: bench
bench: dev node-engine installed-collection $(BENCH_VENV)/.bench ## measure against community.libvirt and bare libvirt
	@scripts/apt-install $(PACKAGES_BENCH)
	scripts/start-libvirt
	$(BIN)/python -m benchmarks.run --baseline $(BENCH_VENV) $(ARGS)

.PHONY: bench-access
bench-access: $(BENCH_VENV)/.bench ## measure decisions on access against Cedar and pycasbin, and compare them
	@$(BENCH_VENV)/bin/python -m benchmarks.access $(ARGS)

.PHONY: bench-mirror
bench-mirror: dev mirror-packages ## measure pextra-mirror against plain aptly and debmirror
	@scripts/apt-install $(PACKAGES_BENCH_MIRROR)
	@PYTHONPATH=.:mirror:mirror/tests $(BIN)/python -m benchmarks.mirror $(ARGS)

.PHONY: bench-mirror-cases
bench-mirror-cases: dev mirror-packages ## what pextra-mirror, aptly, debmirror and apt-mirror2 make of the same unusual sources
	@scripts/apt-install $(PACKAGES_BENCH_MIRROR)
	@test -x $(APT_MIRROR2)/bin/apt-mirror || { $(PYTHON) -m venv $(APT_MIRROR2) && \
		$(APT_MIRROR2)/bin/pip install --quiet apt-mirror==16; }
	@PYTHONPATH=.:mirror:mirror/tests $(BIN)/python -m benchmarks.mirror_cases \
		--apt-mirror2 $(APT_MIRROR2)/bin/apt-mirror $(ARGS)

.PHONY: bench-medium
bench-medium: dev lab-packages installed-collection medium image-test-packages ## measure the medium against live-build and debootstrap
	@scripts/apt-install $(PACKAGES_BENCH_MEDIUM)
	@PYTHONPATH=.:image:image/tests:molecule $(IMAGE_VENV)/bin/python -m benchmarks.medium $(ARGS)

.PHONY: lab
lab: dev lab-packages installed-collection ## three nodes to play with; says how to reach them
	@scripts/lab up $(ARGS)

.PHONY: lab-down
lab-down: dev lab-packages ## remove them
	@scripts/lab down

.PHONY: engine
engine: ## the package python3-pextra of this tree, where the collection carries it; in a second
	@$(PYTHON) scripts/build_engine.py

.PHONY: installed-collection
installed-collection: $(VENV)/.controller # into .cache/collections, from its tarball
	@scripts/install-collection

.PHONY: collection
collection: $(VENV)/.controller engine ## the collection's tarball, with the engine's package in it: dist/
	@$(BIN)/ansible-galaxy collection build --force --output-path dist $(COLLECTION)

.PHONY: packages
packages: image-dev ## this tree as Debian packages, in the signed apt repository dist/apt
	image/pextra-image packages $(ARGS)

.PHONY: iso
iso: image-dev ## the bootable medium and what lies beside it: dist/pextra-ce.iso
	image/pextra-image build $(ARGS)

.PHONY: test-iso
test-iso: dev lab-packages image-dev image-test-packages ## packages, medium, installer; FULL=1: all firmwares, arm64
	@$(BIN)/python scripts/run_suites.py --results $(RESULTS) --jobs 2 $(ISO_LANES)

.PHONY: image-test-packages medium test-iso-medium $(WAYS)
image-test-packages:
	@scripts/apt-install $(PACKAGES_IMAGE_TEST)
medium: # ARGS are the tests'
	@$(MAKE) packages iso ARGS=
test-iso-medium: medium image-test-packages
	$(PYTEST_IMAGE) image/tests/system/test_media.py image/tests/system/test_packages.py
# Asked for by name, all of it runs.
$(FULL_WAYS): private FULL := 1
$(WAYS): dev medium image-test-packages
	$(PYTEST_IMAGE) image/tests/system/test_install.py -k $(@:test-iso-%=%)

.PHONY: screenshots
screenshots: dev ## take the pictures of the wizard; ARGS=--check: are they up to date
	@scripts/apt-install $(PACKAGES_SCREENSHOTS)
	PYTHONPATH=.:installer $(BIN)/python -m screenshots $(ARGS)

.PHONY: venv
venv: dev engine ## only make the virtual environment, and the package that the collection carries

.PHONY: lock
lock: dev ## resolve requirements/*.in again, into pinned and hashed *.txt
	for name in controller installer dev bench image ansible-lowest ansible-newest ansible-next; do \
		version=3.11; if [[ $$name = ansible-next ]]; then version=3.13; fi; \
		$(BIN)/uv pip compile --quiet --upgrade --generate-hashes --python $(PYTHON) \
			--python-version $$version --no-emit-index-url --no-emit-find-links --no-config \
			--custom-compile-command 'make lock' \
			requirements/$$name.in --output-file requirements/$$name.txt; \
	done

.PHONY: clean
clean: ## remove what the targets above left in this folder (not what `make up` made)
	rm -rf $(VENV) $(BENCH_VENV) $(IMAGE_VENV) .venv-ansible-* .cache .ansible .mypy_cache .ruff_cache .pytest_cache .hypothesis \
		build dist $(COLLECTION)/tests/output $(COLLECTION)/roles/{platform,mirror}/files
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Set-up. Debian packages are looked at every time (it takes a blink), and installed if missing;
# virtual environments are renewed when the lock file is newer.

.PHONY: dev
dev: dev-packages $(VENV)/.dev

.PHONY: image-dev image-packages
image-dev: image-packages $(IMAGE_VENV)/.image
image-packages:
	@scripts/apt-install $(PACKAGES_IMAGE)

# A machine that runs modules has the engine, as a node has it.
.PHONY: node-engine
node-engine: node-packages
	@$(PYTHON) scripts/build_engine.py --install

.PHONY: venv-packages dev-packages node-packages integration-packages controller-packages \
	lab-packages node-package-names mirror-packages
venv-packages:
	@scripts/apt-install $(PACKAGES_VENV)
dev-packages:
	@scripts/apt-install $(PACKAGES_DEV)
node-packages:
	@scripts/apt-install $(PACKAGES_NODE)
integration-packages:
	@scripts/apt-install $(PACKAGES_INTEGRATION)
controller-packages:
	@scripts/apt-install $(PACKAGES_CONTROLLERS)
mirror-packages:
	@scripts/apt-install $(PACKAGES_MIRROR)
lab-packages:
	@scripts/apt-install $(PACKAGES_LAB)
node-package-names:
	@echo $(PACKAGES_NODE)

$(VENV)/.controller: requirements/controller.txt | venv-packages
	@echo "make: virtual environment $(VENV): what the controller needs"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python $(PIP_INSTALL) -r $<
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.controller
	@echo "make: virtual environment $(VENV): what the tests need"
	@$(BIN)/python $(PIP_INSTALL) -r $<
	@touch $@

$(BENCH_VENV)/.bench: requirements/bench.txt | venv-packages
	@echo "make: virtual environment $(BENCH_VENV): what the benchmark compares with"
	@test -x $(BENCH_VENV)/bin/python || $(PYTHON) -m venv $(BENCH_VENV)
	@$(BENCH_VENV)/bin/python $(PIP_INSTALL) -r $<
	@touch $@

.venv-ansible-%/.controller: requirements/ansible-%.txt | venv-packages
	@echo "make: virtual environment .venv-ansible-$*: a controller that the collection is tested with"
	@test -x $(@D)/bin/python || $(if $(filter next,$*),$(PYTHON_NEXT),$(PYTHON)) -m venv $(@D)
	@$(@D)/bin/python $(PIP_INSTALL) -r $<
	@touch $@

$(IMAGE_VENV)/.image: requirements/image.txt | venv-packages
	@echo "make: virtual environment $(IMAGE_VENV): what builds the medium"
	@test -x $(IMAGE_VENV)/bin/python || $(PYTHON) -m venv $(IMAGE_VENV)
	@$(IMAGE_VENV)/bin/python $(PIP_INSTALL) -r $<
	@touch $@
