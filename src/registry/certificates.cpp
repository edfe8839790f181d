#include "registry/certificates.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.hpp"
#include "sys/file.hpp"

namespace sbx::registry {
namespace {

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

Unexpected<Error> refuse(ErrorCode code, const std::string& folder, std::string reason) {
  return fail(Error::make(code, "use certificates in", folder, std::move(reason)));
}

}  // namespace

Result<TlsFiles> read_certificate_folder(const std::string& folder) {
  TlsFiles out;
  const std::vector<std::string> names = SBX_TRY(list_files(folder, ""));
  for (const std::string& name : names) {
    const std::string stem = name.substr(0, name.rfind('.'));
    if (name.ends_with(".crt")) {
      out.ca_files.push_back(fmt::format("{}/{}", folder, name));
    } else if (name.ends_with(".cert")) {
      if (!contains(names, stem + ".key")) {
        return refuse(ErrorCode::kInvalidArgument, folder,
                      fmt::format("{} has no {}.key (an authority's certificate ends in .crt)",
                                  printable(name, 80), printable(stem, 80)));
      }
      if (!out.client_certificate.empty()) {
        return refuse(ErrorCode::kUnsupported, folder,
                      "there is more than one client certificate (*.cert)");
      }
      out.client_certificate = fmt::format("{}/{}", folder, name);
      out.client_key = fmt::format("{}/{}.key", folder, stem);
    } else if (name.ends_with(".key") && !contains(names, stem + ".cert")) {
      return refuse(ErrorCode::kInvalidArgument, folder,
                    fmt::format("{} has no {}.cert", printable(name, 80), printable(stem, 80)));
    }
  }
  return out;
}

Result<TlsFiles> find_tls_files(const Environment& env, std::string_view host) {
  const std::string name = registry_name(host);
  if (name.empty() || name.front() == '.' || name.find('/') != std::string::npos) {
    return fail(Error::make(ErrorCode::kInvalidArgument, "find certificates for", host,
                            "it is not HOST[:PORT]"));
  }
  std::vector<std::string> folders;
  if (!env.config_home.empty()) {
    folders.push_back(env.config_home + "/containers/certs.d");
  }
  folders.push_back(env.system("/etc/containers/certs.d"));
  folders.push_back(env.system("/etc/docker/certs.d"));
  for (const std::string& parent : folders) {
    const std::string folder = fmt::format("{}/{}", parent, name);
    const Result<sys::Fd> there = sys::open_at(AT_FDCWD, folder, O_PATH | O_DIRECTORY);
    if (there) {
      return read_certificate_folder(folder);
    }
    if (there.error().sys_errno == EACCES) {
      log::debug("{} cannot be read, ignoring", folder);  // as containers/image
    }
  }
  return TlsFiles{};
}

}  // namespace sbx::registry
