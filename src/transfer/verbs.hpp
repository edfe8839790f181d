#pragma once

// The verbs of sbx-transfer, one file verb_*.cpp each: options (one struct per verb), everything from outside opened,
// confinement, work. What a verb returns is the last line of the answer.

#include <span>
#include <string_view>

#include "base/json.hpp"
#include "base/result.hpp"
#include "image/loader.hpp"
#include "transfer/options.hpp"

namespace sbx::transfer {

/// What is told of an image that is in the store now.
Json describe(const image::LoadedImage& image);

struct Verb {
  std::string_view name;
  Result<Json> (*run)(Words words);  // the words behind the name
};

std::span<const Verb> verbs();

/// The whole command line: a verb and its words. kInvalidArgument, listing the verbs, if it is none.
Result<Json> run_verb(Words words);

Result<Json> adopt(Words words);
Result<Json> adopt_file(Words words);
Result<Json> check(Words words);
Result<Json> describe_remote(Words words);
Result<Json> export_container(Words words);
Result<Json> import(Words words);
Result<Json> load(Words words);
Result<Json> login(Words words);
Result<Json> logins(Words words);
Result<Json> logout(Words words);
Result<Json> pull(Words words);
Result<Json> push(Words words);
Result<Json> save(Words words);
Result<Json> search(Words words);

}  // namespace sbx::transfer
