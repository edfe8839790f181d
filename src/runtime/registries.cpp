#include "runtime/registries.hpp"

#include <algorithm>

#include "oci/reference.hpp"
#include "runtime/transfer.hpp"
#include "sys/channel.hpp"
#include "sys/file.hpp"

namespace sbx::runtime {
namespace {

using Words = std::vector<std::string>;

void add_registry(Words& words, const RegistryOptions& options) {
  add_option(words, "--authfile", options.auth_file);
  if (options.tls_verify) {
    add_option(words, "--tls-verify", *options.tls_verify ? "true" : "false");
  }
}

/// A member that must be there.
Result<std::string> need(const Json& answer, std::string_view key) {
  std::optional<std::string> value = SBX_TRY(find_string(answer, key));
  return value ? Result<std::string>(*std::move(value))
               : fail(Error::make(ErrorCode::kSystem, "run", "sbx-transfer",
                                  "its answer lacks a member"));
}

std::string text_of(const Json& object, std::string_view key) {
  const Result<std::optional<std::string>> value = find_string(object, key);
  return value && *value ? **value : std::string();
}

std::size_t count_of(const Json& object, std::string_view key) {
  const auto value = find_integer(object, key);
  const std::int64_t count = value ? value->value_or(0) : 0;
  return count < 0 ? 0 : static_cast<std::size_t>(count);
}

Result<std::vector<std::string>> texts_of(const Json& object, std::string_view key) {
  const Json* const list = SBX_TRY(find_array(object, key));
  std::vector<std::string> out;
  for (const Json& item : list == nullptr ? Json::array() : *list) {
    out.push_back(item.is_string() ? item.get<std::string>() : std::string());
  }
  return out;
}

/// Where the image goes: a name with a tag.
Result<std::string> destination_of(const PushOptions& push) {
  const std::string name = plain_name(push.destination.empty() ? push.image : push.destination);
  const auto refuse = [&](std::string reason, std::string hint) {
    return fail(Error::make(ErrorCode::kInvalidArgument, "push to", name, std::move(reason))
                    .with_hint(std::move(hint)));
  };
  if (is_image_source(name)) {
    return refuse("it is no name of a registry", "'sbx save' writes archives and layouts");
  }
  const Result<oci::Reference> reference = oci::Reference::parse(name);
  if (!reference) {
    return refuse("it is no name of an image", "sbx push IMAGE REGISTRY/NAME[:TAG]");
  }
  if (reference->digest()) {
    return refuse("what is pushed makes its digest itself",
                  "give a name with a tag: sbx push IMAGE REGISTRY/NAME[:TAG]");
  }
  return reference->str();
}

/// One run of the program, which reads the password from its standard input. A pipe takes 64 KiB at once.
Result<Json> ask_with_password(Words words, const std::string& password) {
  constexpr std::size_t kMaxPassword = std::size_t{60} << 10U;
  if (password.size() > kMaxPassword) {
    return fail(Error::make(ErrorCode::kLimit, "take", "the password", "it is too long"));
  }
  sys::Pipe pipe = SBX_TRY(sys::make_pipe());
  SBX_TRY(sys::write_full(pipe.writer.get(), std::as_bytes(std::span(password)), "a pipe"));
  pipe.writer.reset();
  return ask_transfer(std::move(words), pipe.reader.get());
}

}  // namespace

Result<TransferPulled> pull_image(const TransferPull& pull) {
  Words words{"pull", "--root", pull.data_root};
  add_option(words, "--platform", pull.platform);
  add_registry(words, pull.registry);
  if (pull.progress) {
    words.emplace_back("--progress");
  }
  words.insert(words.end(), {"--", plain_name(pull.name)});
  const Json answer = SBX_TRY(ask_transfer(std::move(words), -1, pull.progress));
  TransferPulled out;
  out.manifest = SBX_TRY(need(answer, "manifest"));
  const std::string config = SBX_TRY(need(answer, "config"));
  out.id = config.substr(config.find(':') + 1);
  out.reference = SBX_TRY(need(answer, "reference"));
  out.already = SBX_TRY(find_bool(answer, "already")).value_or(false);
  return out;
}

Result<Pushed> push_image(const PushOptions& push, const std::string& data_root,
                          const std::vector<std::string>& additional_stores) {
  const std::string destination = SBX_TRY(destination_of(push));
  Words words{"push", "--root", data_root};
  for (const std::string& store : additional_stores) {
    add_option(words, "--store", store);
  }
  add_registry(words, push.registry);
  add_option(words, "--compress", push.compression);
  add_option(words, "--format", push.format);
  if (push.progress) {
    words.emplace_back("--progress");
  }
  words.insert(words.end(), {"--", plain_name(push.image), destination});
  const Json answer = SBX_TRY(ask_transfer(std::move(words), -1, push.progress));
  Pushed out;
  out.digest = SBX_TRY(need(answer, "manifest"));
  out.reference = SBX_TRY(need(answer, "reference"));
  out.came_as = text_of(answer, "source");
  out.size = count_of(answer, "size");
  if (const Json* const layers = SBX_TRY(find_object(answer, "layers")); layers != nullptr) {
    out.layers_there = count_of(*layers, "there");
    out.layers_mounted = count_of(*layers, "mounted");
    out.layers_sent = count_of(*layers, "sent");
    out.bytes_sent = count_of(*layers, "bytes_sent");
  }
  return out;
}

Result<LoggedIn> log_in(const LoginOptions& login) {
  Words words{"login"};
  add_registry(words, login.options);
  add_option(words, "--user", login.username);
  Words keep = words;
  words.insert(words.end(), {"--", login.registry});
  keep.insert(keep.end(), {"--keep", "--", login.registry});
  const Json answer = SBX_TRY(ask_with_password(std::move(words), login.password));
  LoggedIn out;
  out.username = text_of(answer, "user");
  if (!login.username.empty()) {
    out.kept = SBX_TRY(need(SBX_TRY(ask_with_password(std::move(keep), login.password)), "kept"));
  }
  return out;
}

Result<std::vector<LoggedOut>> log_out(const std::vector<std::string>& registries,
                                       const RegistryOptions& options) {
  Words words{"logout"};
  add_registry(words, options);
  words.emplace_back("--");
  words.insert(words.end(), registries.begin(), registries.end());
  const Json answer = SBX_TRY(ask_transfer(std::move(words)));
  const Json* const erased = SBX_TRY(find_array(answer, "erased"));
  std::vector<LoggedOut> out;
  for (const Json& one : erased == nullptr ? Json::array() : *erased) {
    out.push_back({text_of(one, "key"), SBX_TRY(find_bool(one, "found")).value_or(false),
                   SBX_TRY(texts_of(one, "left"))});
  }
  return out;
}

Result<std::vector<Login>> list_logins(const RegistryOptions& options) {
  Words words{"logins"};
  add_registry(words, options);
  const Json answer = SBX_TRY(ask_transfer(std::move(words)));
  const Json* const logins = SBX_TRY(find_array(answer, "logins"));
  std::vector<Login> out;
  for (const Json& one : logins == nullptr ? Json::array() : *logins) {
    out.push_back({text_of(one, "key"), text_of(one, "user"), text_of(one, "source")});
  }
  return out;
}

namespace {

Words search_words(const SearchOptions& search) {
  Words words{"search"};
  add_registry(words, search.registry);
  add_option(words, "--limit", std::to_string(search.limit));
  return words;
}

}  // namespace

Result<SearchResults> search_registries(const SearchOptions& search) {
  Words words = search_words(search);
  words.insert(words.end(), {"--", plain_name(search.term)});
  const Json answer = SBX_TRY(ask_transfer(std::move(words)));
  const Json* const found = SBX_TRY(find_array(answer, "found"));
  SearchResults out;
  for (const Json& one : found == nullptr ? Json::array() : *found) {
    out.found.push_back({text_of(one, "registry"), text_of(one, "name"),
                         text_of(one, "description"), count_of(one, "stars"),
                         SBX_TRY(find_bool(one, "official")).value_or(false)});
  }
  out.complete = SBX_TRY(find_bool(answer, "complete")).value_or(true);
  return out;
}

Result<TagList> list_tags(const SearchOptions& search) {
  Words words = search_words(search);
  words.insert(words.end(), {"--tags", "--", plain_name(search.term)});
  const Json answer = SBX_TRY(ask_transfer(std::move(words)));
  return TagList{SBX_TRY(need(answer, "name")), SBX_TRY(texts_of(answer, "tags")),
                 SBX_TRY(find_bool(answer, "complete")).value_or(true)};
}

Result<Json> describe_remote(const RemoteOptions& remote) {
  Words words{"describe"};
  add_registry(words, remote.registry);
  add_option(words, "--platform", remote.platform);
  words.insert(words.end(), {"--", plain_name(remote.name)});
  return ask_transfer(std::move(words));
}

}  // namespace sbx::runtime
