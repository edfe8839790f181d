#pragma once

#include <optional>
#include <string>

#include <sbx/run.hpp>

namespace sbx::cli {

/// docker's --restart: no, on-failure[:N], always or unless-stopped. nullopt for what is none of them.
std::optional<RestartOptions> read_restart(const std::string& text);

}  // namespace sbx::cli
