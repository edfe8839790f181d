#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "net/address_plan.hpp"
#include "sys/isolate.hpp"

namespace sbx::net {

/// The resolv.conf a sandbox gets: the name servers are those of `plan`, the IPv6 one first if the host has IPv6 servers only
/// (libslirp passes queries on within their address family). The host's "search", "domain" and "options" lines
/// are kept. `host_text` is the host's file, "" if it has none; see resolv.conf(5).
[[nodiscard]] std::string guest_resolv_conf(const AddressPlan& plan, bool ipv6,
                                            std::string_view host_text);

/// How the network process keeps seeing the host's `path`: libslirp reads /etc/resolv.conf again when it changes. Where the
/// file lies in a directory made for it (/run/systemd/resolve, /run/NetworkManager), that directory is shown, so that a file that is replaced
/// is seen; else the file alone. A host without the file gives an empty plan: then there is no DNS.
sys::RootPlan resolver_view(const std::string& path);

}  // namespace sbx::net
