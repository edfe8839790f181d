#pragma once

#include "cli/verbs.hpp"

namespace sbx::cli {

/// The whole program: global options, then a verb. The exit code.
int main_program(const Words& words);

}  // namespace sbx::cli
