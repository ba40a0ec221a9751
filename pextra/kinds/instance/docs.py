# SPDX-License-Identifier: Apache-2.0
"""The documentation of instances, besides that of their fields."""

from __future__ import annotations

from pextra.kinds.instance.view import INSTANCE
from pextra.model.documentation import Failure, KindDocs, Link, Steps, Text
from pextra.model.returned import Returned

DOCS = KindDocs(
    noun="instance",
    nouns="instances",
    module=Text(
        short="Manage instances, virtual machines and containers",
        description=(
            "Creates, changes, starts, stops and removes instances of type V(qemu) (virtual"
            " machines) and V(lxc) (containers), with their volumes, network devices, CD-ROM"
            " image and cloud-init seed.",
            "An instance is a libvirt domain of the same name. QEMU instances use KVM where the"
            " node has it, with the processor's own features, and emulation elsewhere.",
            "Nothing restarts by surprise. A change that takes effect only by restarting a running"
            " instance is refused before anything is changed, unless O(allow_restart=true). A"
            " restart that was broken off is finished by the next task that looks at the instance.",
        ),
        on_host=True,
        requirements=(
            "libvirt-python >= 9.0 (Debian package python3-libvirt)",
            "qemu-img (Debian package qemu-utils), for volumes",
            "PyYAML and xorriso (Debian packages python3-yaml and xorriso), for O(cloud_init)",
            "swtpm (Debian packages swtpm and swtpm-tools), for a TPM",
        ),
        notes=(
            "C(virsh console NAME) opens the serial console; C(/var/log/pextra-ce/console/ID.log)"
            " keeps what it has shown, with the instance's id for C(ID). The screen is a VNC"
            " server on a local socket, which C(virsh domdisplay NAME) names.",
            "Devices that others attached to the domain stay. One that is at a place that a volume"
            " of the instance needs makes the task fail.",
        ),
        seealso=("instance_info", "volume", "port_group", "storage_pool"),
        links=(
            Link(
                "NoCloud",
                "What cloud-init makes of a seed.",
                "https://cloudinit.readthedocs.io/en/latest/reference/datasources/nocloud.html",
            ),
        ),
        examples="""
- name: Have a virtual machine with a root volume and a network device, and run it
  pextra.ce.instance:
    name: web
    cpu:
      cores: 2
    memory: 512MiB
    volumes:
      - name: web-root
        image: /var/lib/pextra-ce/images/debian-12.qcow2
        size: 4GiB
    networks:
      - name: lan0
        port_group: lan
    autostart: true
    state: started

- name: Have one with cloud-init and a second volume, and wait until it has booted
  pextra.ce.instance:
    name: mail
    description: Mail server
    memory: 1GiB
    volumes:
      - name: mail-root
        image: /var/lib/pextra-ce/images/debian-12.qcow2
        size: 20GiB
      - name: mail-data
        storage_pool: fast
        size: 100GiB
        device_name: data
        device_path: /dev/vdb
    networks:
      - name: lan0
        port_group: lan
        mac: "52:54:00:12:34:56"
    cloud_init:
      user_data: |
        #cloud-config
        ssh_authorized_keys:
          - {{ operator_key }}
      network_config:
        version: 2
        ethernets:
          lan:
            match:
              macaddress: "52:54:00:12:34:56"
            addresses: [192.0.2.25/24]
    state: started
    wait_console: 'mail login:'
    timeout: 300

- name: Have one with UEFI that installs its operating system from a CD-ROM image
  pextra.ce.instance:
    name: db
    memory: 1GiB
    firmware: uefi
    cdrom: /var/lib/pextra-ce/images/debian-12-netinst.iso
    volumes:
      - name: db-root
        size: 20GiB
        device_name: root
    boot_order: [root, cdrom]
    state: started

- name: Give the first one more memory, which it gets by a restart
  pextra.ce.instance:
    name: web
    memory: 1GiB
    allow_restart: true

- name: Insert a rescue CD-ROM image, and boot from it
  pextra.ce.instance:
    name: web
    cdrom: /var/lib/pextra-ce/images/rescue.iso
    boot_order: [cdrom, disk-vda]
    state: restarted

- name: Eject it, and boot from the root volume next time
  pextra.ce.instance:
    name: web
    cdrom: null
    boot_order: []

- name: Give it a TPM, a drive with a medium and a generator of random numbers when it starts next
  pextra.ce.instance:
    name: web
    devices:
      - name: tpm0
        type: tpm
      - name: tools
        type: cdrom
        medium: /var/lib/pextra-ce/images/rescue.iso
      - name: entropy
        type: rng
        source: random
    hot_plug: false

- name: Take the medium out of the drive
  pextra.ce.instance:
    name: web
    devices:
      - name: tools
        tray: open
    hot_plug: false

- name: Shut it down, within two minutes
  pextra.ce.instance:
    name: web
    state: stopped
    timeout: 120

- name: Have exactly this network device
  pextra.ce.instance:
    name: web
    networks:
      - name: lan1
        port_group: lan
    purge: [networks]

- name: Have a container
  pextra.ce.instance:
    name: dns
    type: lxc
    memory: 256MiB
    rootfs: /srv/containers/dns
    networks:
      - name: lan0
        port_group: lan

- name: Have a container of its own root file system
  pextra.ce.instance:
    name: cache
    type: lxc
    memory: 256MiB
    rootfs_archive: /var/lib/pextra-ce/images/debian-12.tar.gz

- name: Force one off
  pextra.ce.instance:
    name: db
    state: killed

- name: Remove it with its volumes
  pextra.ce.instance:
    name: db
    state: absent
    destroy_volumes: true
""",
    ),
    info=Text(
        short="List instances, their state and consoles",
        description=(
            "Lists instances of one or of all clusters and nodes, with how they run and how to"
            " open their consoles.",
            "RV(instances[].console) and RV(instances[].accelerator) take a call to libvirt for"
            " each running instance; everything else takes four listings for all of them.",
        ),
        on_host=True,
        requirements=("libvirt-python >= 9.0 (Debian package python3-libvirt), on a node",),
        seealso=("instance",),
        examples="""
- name: List the instances of a node
  pextra.ce.instance_info:
    node: node1
  register: all

- name: Show their states
  ansible.builtin.debug:
    msg: "{{ item.name }} is {{ item.state }}"
  loop: "{{ all.instances }}"
  loop_control:
    label: "{{ item.name }}"

- name: Ask how to open a console
  pextra.ce.instance_info:
    name: web1
    fields: [name, console]
  register: found

- name: Find what is in the store and not on the node
  pextra.ce.instance_info:
    fields: [id, name, state]
  register: all

- name: Show it
  ansible.builtin.debug:
    msg: "{{ all.instances | selectattr('state', 'eq', 'missing') | map(attribute='name') }}"
""",
    ),
    states={
        "present": "creates the instance without starting it, or changes what is given and"
        " differs. Whether it runs stays as it is.",
        "started": "does that and starts it if it does not run. One that is paused goes on.",
        "stopped": "does that, and asks the guest to shut down, again every 10 seconds, for"
        " O(timeout).",
        "killed": "does that and ends it at once if it runs, as pulling the plug does.",
        "restarted": "does that, stops it as V(stopped) does and starts it again, each time the"
        " task runs. One that does not run is started.",
        "absent": "removes it, its network devices, its seed and its console's log. It must not"
        " run.",
    },
    steps=Steps(
        name="web",
        sample=("start", {"power": "stopped"}, {"power": "running"}),
        action=(
            "On the node, V(seed) (make the cloud-init seed), V(unpack) (a root file system),"
            " V(define), V(redefine) (the definition that it starts with next), V(rename) (where"
            " another tool has renamed it), V(commit) (an overlay of another tool), V(discard)"
            " (memory that another tool has saved), V(plug),"
            " V(unplug), V(change-medium) (as it runs), V(clean) (remove seeds and logs that are"
            " no longer needed) or V(undefine); for volumes V(allocate), V(grow) or V(delete).",
            "After everything is in place, V(start), V(resume), V(shutdown), V(kill) or"
            " V(restart).",
        ),
        kinds=", or V(volume), V(network_device) or V(instance_device) for its parts",
        restarts=True,
    ),
    failure=Failure(
        "restart_required",
        'instance "web"',
        "this change needs a restart while it is running: restart instance web (memory from 512 to"
        " 1024)",
        "Stop the instance first, or set allow_restart=true",
    ),
    codes=("foreign", "restart_required", "unsupported", "host", "verification"),
    returned={
        "state": Returned(
            "V(running), V(paused), V(stopped), or V(saved) (stopped, to go on from its memory), as"
            " the task leaves it; in check mode, as a real"
            " run would leave it.",
            sample="running",
        ),
        "vcpus": INSTANCE.computed["vcpus"].returned,
        "networks": Returned(
            "Its network devices, sorted by name.",
            "list",
            elements="dict",
            contains={
                "id": Returned(
                    "Identifier, C(nic-) and 21 characters.", sample="nic-Dhcz77Zpl5pwnwW6Co0nJ"
                ),
                "name": Returned("Name.", sample="lan0"),
                "port_group_id": Returned(
                    "The port group that it is on.", sample="pgrp-qy8hY5tqberxvyolAjb4B"
                ),
                "mac": Returned("MAC address.", sample="52:54:00:9d:74:e3"),
                "model": Returned("Model.", sample="virtio"),
            },
        ),
        "volumes": INSTANCE.computed["volumes"].returned,
        "devices": INSTANCE.computed["devices"].returned,
    },
)
