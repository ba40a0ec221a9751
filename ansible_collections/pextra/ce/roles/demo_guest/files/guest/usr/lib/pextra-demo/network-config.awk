# Reads `NIC MAC` lines from its first file and a network configuration of version 2 (YAML or JSON)
# from its second; prints `NIC address ADDRESS/PREFIX`, `NIC gateway ADDRESS` and `NIC dhcp yes`.
# Understands ethernets with match by MAC, static addresses, a default route and dhcp4: what the
# platform writes, not all that netplan can.

function unquote(text) {
    gsub(/^[ \t"']+|[ \t"']+$/, "", text)
    return text
}

# The network device of the section: by its MAC, else by its name, else by its position.
function device() {
    if (mac != "") return (mac in by_mac) ? by_mac[mac] : ""
    if (section in by_name) return section
    return by_position[position]
}

function emit(kind, value) {
    if (section != "") wanted[++lines] = kind " " value
}

function finish(    nic, line) {
    nic = device()
    for (line = 1; section != "" && nic != "" && line <= lines; line++) print nic, wanted[line]
    lines = 0
    mac = to = via = ""
}

# A route has a destination and a gateway, in either order; only the default route is of interest.
function route(key, value) {
    if (key == "to") to = value
    else via = value
    if (to == "" || via == "") return
    if (to == "default" || to ~ /^(0\.0\.0\.0|::)\/0$/) emit("gateway", via)
    to = via = ""
}

function item(text,    colon, key, value) {
    text = unquote(text)
    sub(/^-[ \t]+/, "", text)
    text = unquote(text)
    if (text == "" || text == "-") return
    if (text ~ /^[0-9a-fA-F:.]+\/[0-9]+$/) {
        emit("address", text)
        return
    }
    colon = index(text, ":")
    if (!colon) return
    key = unquote(substr(text, 1, colon - 1))
    value = unquote(substr(text, colon + 1))
    if (key == "macaddress") mac = tolower(value)
    else if (key == "to" || key == "via") route(key, value)
    else if (key == "gateway4" || key == "gateway6") emit("gateway", value)
    else if (key == "dhcp4" && value ~ /^(true|yes)$/) emit("dhcp", "yes")
    else if (value == "" && key !~ known) {
        finish()
        section = key
        position++
    }
}

BEGIN {
    known = "^(network|ethernets|match|addresses|routes|nameservers|search|dhcp4-overrides)$"
}

FNR == NR {
    by_mac[tolower($2)] = $1
    by_name[$1] = 1
    by_position[++nics] = $1
    next
}

{
    sub(/(^|[ \t])#.*$/, "")
    count = split($0, parts, /[][{},]/)
    for (i = 1; i <= count; i++) item(parts[i])
}

END { finish() }
