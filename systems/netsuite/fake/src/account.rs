//! The account's name in its forms, and the hosts that follow from it (README, section *Hosts*).

/// An account id such as `1234567_SB1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AccountName {
    realm: String,
    host_label: String,
}

impl AccountName {
    /// Reads an id in either form (`1234567_SB1`, `1234567-sb1`); `None` when it could not be a host label.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let sound = !text.is_empty()
            && text.split(['_', '-']).all(|part| {
                !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
            });
        sound.then(|| Self {
            realm: text.to_ascii_uppercase().replace('-', "_"),
            host_label: text.to_ascii_lowercase().replace('_', "-"),
        })
    }

    /// Upper-case with underscore: the realm of signed requests.
    pub(crate) fn realm(&self) -> &str {
        &self.realm
    }

    /// Lower-case with hyphen: the label of its hosts.
    pub(crate) fn host_label(&self) -> &str {
        &self.host_label
    }

    /// The origin of the REST services.
    pub(crate) fn suitetalk_origin(&self) -> String {
        format!("https://{}.suitetalk.api.netsuite.com", self.host_label)
    }

    /// The origin of RESTlets and of the token services.
    pub(crate) fn restlets_origin(&self) -> String {
        format!("https://{}.restlets.api.netsuite.com", self.host_label)
    }

    /// The origin of the pages.
    pub(crate) fn app_origin(&self) -> String {
        format!("https://{}.app.netsuite.com", self.host_label)
    }

    /// The audiences that an assertion may name.
    pub(crate) fn token_endpoints(&self) -> [String; 2] {
        [self.suitetalk_origin(), self.restlets_origin()]
            .map(|origin| format!("{origin}/services/rest/auth/oauth2/v1/token"))
    }
}

#[cfg(test)]
mod tests {
    use super::AccountName;

    #[test]
    fn both_forms_name_one_account() {
        let account = AccountName::parse("1234567_SB1").unwrap();
        assert_eq!(Some(&account), AccountName::parse("1234567-sb1").as_ref());
        assert_eq!(account.realm(), "1234567_SB1");
        assert_eq!(
            account.suitetalk_origin(),
            "https://1234567-sb1.suitetalk.api.netsuite.com"
        );
        assert_eq!(AccountName::parse("evil.example/"), None);
    }
}
