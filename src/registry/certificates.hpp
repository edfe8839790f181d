#pragma once

// containers-certs.d(5): certificate authorities and client certificates of a host's own.

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "registry/endpoint.hpp"
#include "registry/environment.hpp"

namespace sbx::registry {

/// The files of the first folder there is: $XDG_CONFIG_HOME/containers/certs.d/HOST[:PORT], then the same in
/// /etc/containers/certs.d and /etc/docker/certs.d. docker.io stands there under that name. Empty if there is none.
Result<TlsFiles> find_tls_files(const Environment& env, std::string_view host);

/// One folder: *.crt are authorities, NAME.cert and NAME.key a client's certificate. kInvalidArgument if one of a pair is
/// missing; kUnsupported for a second pair. Other files are passed over. Empty if there is no such folder.
Result<TlsFiles> read_certificate_folder(const std::string& folder);

}  // namespace sbx::registry
