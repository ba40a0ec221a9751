# Copyright: pextra-ce contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds a bootable ISO from a Debian kernel, busybox-static and GRUB."""
