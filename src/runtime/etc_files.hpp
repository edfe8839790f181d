#pragma once

#include <string>

#include "runtime/root_source.hpp"
#include "runtime/run_request.hpp"
#include "sys/xdg.hpp"

namespace sbx::runtime {

/// /etc/hosts of a sandbox.
std::string hosts_text(NetworkMode network, const std::string& hostname);

/// /etc/resolv.conf of a sandbox, from the host's: with an address of its own the name server is libslirp's, and the
/// host's search list and options are kept.
std::string resolv_conf_text(NetworkMode network, std::string_view host_text);

/// passwd(5) or group(5) of the image with the invoker added if the image does not know the number.
std::string passwd_with(std::string passwd, const sys::Invoker& who);
std::string group_with(std::string group, const sys::Invoker& who);

}  // namespace sbx::runtime
