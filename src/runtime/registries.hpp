#pragma once

// The verbs of sbx-transfer that talk to registries or keep what is told to them.

#include <sbx/registry.hpp>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"

namespace sbx::runtime {

struct TransferPull {
  std::string data_root;
  std::string name;
  std::string platform;  // empty: this machine's
  RegistryOptions registry;
  ProgressCallback progress;  // may be empty
};
struct TransferPulled {
  std::string manifest;   // by which ImageStore finds it
  std::string id;         // 64 hexadecimal digits
  std::string reference;  // the full name
  bool already = false;
};
/// `sbx-transfer pull`. A "docker://" before the name is understood.
Result<TransferPulled> pull_image(const TransferPull& pull);

/// `sbx-transfer push`. An empty destination is the image's name. kInvalidArgument for one that is no name with a tag.
Result<Pushed> push_image(const PushOptions& push, const std::string& data_root,
                          const std::vector<std::string>& additional_stores);

/// `sbx-transfer login`: asks the registry, then keeps the password. Passwords go through a pipe.
Result<LoggedIn> log_in(const LoginOptions& login);
/// `sbx-transfer logout` and `logins`.
Result<std::vector<LoggedOut>> log_out(const std::vector<std::string>& registries,
                                       const RegistryOptions& options);
Result<std::vector<Login>> list_logins(const RegistryOptions& options);

/// `sbx-transfer search`: a full answer of the program.
Result<SearchResults> search_registries(const SearchOptions& search);
Result<TagList> list_tags(const SearchOptions& search);

/// `sbx-transfer describe`: its answer.
Result<Json> describe_remote(const RemoteOptions& remote);

}  // namespace sbx::runtime
