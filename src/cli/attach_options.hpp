#pragma once

#include <sbx/container.hpp>

#include "cli/command_line.hpp"

namespace sbx::cli {

/// Describes what `attach` and `start` have in common.
inline void add_attach_options(CommandLine& line, AttachOptions& options) {
  line.value("--detach-keys", options.detach_keys, "KEYS",
             "Leave a container that has a terminal, without ending it (default: ctrl-p,ctrl-q; "
             "empty: no keys do)");
  line.tristate("--sig-proxy", options.signals,
                "Send signals that we get to the command (default); --sig-proxy=false: they end "
                "us");
}

}  // namespace sbx::cli
