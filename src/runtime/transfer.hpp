#pragma once

#include <sbx/registry.hpp>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"

namespace sbx::runtime {

struct TransferLoad {
  std::string data_root;
  std::string source;    // oci:..., oci-archive:..., docker-archive:...
  std::string platform;  // empty: this machine's
  std::string tag;       // empty: the names that the source has
};

/// True for what names an image outside of the store.
[[nodiscard]] bool is_image_source(const std::string& text);

/// The name without "docker://", which says what is the rule: that it is in a registry.
[[nodiscard]] std::string plain_name(const std::string& name);

/// An option and its value behind the words; nothing if the value is empty.
void add_option(std::vector<std::string>& words, const char* name, const std::string& value);

/// Runs sbx-transfer, a program of its own because it reads hostile bytes and links what the run path does not
/// need, with these words (a verb first) and waits for its end. `input` is its standard input (-1: /dev/null): an
/// archive to read or to write, which sbx was given. Its answer, or its error.
/// `progress` gets what it tells meanwhile.
Result<Json> ask_transfer(std::vector<std::string> words, int input = -1,
                          const ProgressCallback& progress = {});

/// `sbx-transfer load`. The manifest digest of the image in the store, by which ImageStore finds it.
Result<std::string> load_image(const TransferLoad& load);

}  // namespace sbx::runtime
