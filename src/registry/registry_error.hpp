#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"

namespace sbx::registry {

/// "CODE: message; CODE: message" of an error body (distribution-spec, "Error Codes"), or its first line if it is no
/// such document; made printable, at most 4 errors and about 600 bytes. Empty if there is nothing to say.
std::string describe_error_body(std::string_view body);

/// What was asked of which registry, for errors: "cannot OP 'SUBJECT'".
struct Asked {
  std::string op;       // "read manifest"
  std::string subject;  // "localhost:5000/busybox:latest"
  std::string host;     // whom to log in to
};

/// An answer that is not the wanted one. `detail` is describe_error_body's.
Error refusal(const Asked& asked, int status, std::string_view detail);

}  // namespace sbx::registry
