#pragma once

// ImageConfig + RunRequest = OCI runtime configuration, with docker's meaning for every option. Pure.

#include "base/result.hpp"
#include "oci/runtime_spec.hpp"
#include "runtime/account.hpp"
#include "runtime/identity.hpp"
#include "runtime/image_defaults.hpp"
#include "runtime/run_request.hpp"
#include "sys/xdg.hpp"

namespace sbx::runtime {

struct SpecInput {
  const RunRequest& request;
  const ImageDefaults& defaults;
  const AccountFiles& accounts;
  const IdChoice& ids;
  const sys::Invoker& invoker;
  std::string container_id;  // 64 hexadecimal digits
  std::string
      etc_directory;  // of the host: hosts, hostname and resolv.conf of this container; empty: none
  std::vector<oci::SpecMount> inherited;  // --volumes-from
  bool own_run_directory = false;         // the lower tree is the host's: /run is the sandbox's own
};

Result<oci::RuntimeSpec> build_spec(const SpecInput& input);

/// What a command is put together from: of the request, or of the image.
struct CommandWords {
  std::vector<std::string> entry_point;
  std::vector<std::string> command;
};
CommandWords command_words(const RunRequest& request, const ImageDefaults& defaults);

/// The command line as docker puts it together from entry point and command of image and request.
Result<std::vector<std::string>> build_arguments(const RunRequest& request,
                                                 const ImageDefaults& defaults);

/// True for programs that want to be PID 1: systemd, s6, tini and their like.
[[nodiscard]] bool is_init_program(std::string_view argument);

}  // namespace sbx::runtime
