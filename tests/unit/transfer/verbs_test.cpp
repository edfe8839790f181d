#include "transfer/verbs.hpp"

#include <catch2/catch.hpp>

using sbx::transfer::run_verb;
using sbx::transfer::verbs;

namespace {

sbx::Error failure(std::vector<std::string> words) {
  std::vector<char*> arguments;
  for (std::string& word : words) {
    arguments.push_back(word.data());
  }
  return run_verb(arguments).error();
}

}  // namespace

TEST_CASE("what is no verb is answered with the verbs") {
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{}, {""}, {"--root"}, {"loaded"}}) {
    const sbx::Error error = failure(words);
    CHECK(error.code == sbx::ErrorCode::kInvalidArgument);
    for (const auto& verb : verbs()) {
      CHECK(error.hint.find(verb.name) != std::string::npos);
    }
  }
}

TEST_CASE("every verb refuses words that are not its own") {
  for (const auto& verb : verbs()) {
    const sbx::Error error = failure({std::string(verb.name), "--no-such-option"});
    CHECK(error.code == sbx::ErrorCode::kInvalidArgument);
    CHECK(error.hint.starts_with("sbx-transfer " + std::string(verb.name)));
  }
}
