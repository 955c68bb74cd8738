//! What belongs to a user themselves, whoever they are: their sessions, their tokens, their password. Nothing of
//! anybody else's is reached by it.

use secrecy::SecretString;
use tieout_store::{
    ApiToken, Attempt, NewToken, PasswordHash, People, Session, SessionLimits, StoreError,
};

/// What belongs to a user.
#[derive(Debug, Clone)]
pub struct Own {
    people: People,
    user: String,
}

impl Own {
    pub(crate) fn of(people: People, user: &str) -> Self {
        let user = user.to_owned();
        Self { people, user }
    }

    /// Where they are signed in.
    ///
    /// # Errors
    /// The store's.
    pub async fn sessions(&self) -> Result<Vec<Session>, StoreError> {
        let mut all = self.people.sessions(SessionLimits::default()).await?;
        all.retain(|session| session.user == self.user);
        Ok(all)
    }

    /// Ends a session of theirs; `false` if there is none of this id.
    ///
    /// # Errors
    /// The store's.
    pub async fn end_session(&self, id: &str) -> Result<bool, StoreError> {
        let known = self.sessions().await?.iter().any(|it| it.id == id);
        if known {
            self.people.end_session(id).await?;
        }
        Ok(known)
    }

    /// Their tokens.
    ///
    /// # Errors
    /// The store's.
    pub async fn tokens(&self) -> Result<Vec<ApiToken>, StoreError> {
        let mut all = self.people.tokens().await?;
        all.retain(|token| token.user == self.user);
        Ok(all)
    }

    /// Makes a token of theirs, whoever it says that it is for.
    ///
    /// # Errors
    /// See [`People::make_token`].
    pub async fn make_token(&self, new: NewToken, actor: &str) -> Result<SecretString, StoreError> {
        let user = self.user.clone();
        self.people
            .make_token(&NewToken { user, ..new }, actor)
            .await
    }

    /// Revokes a token of theirs.
    ///
    /// # Errors
    /// [`StoreError::TokenMissing`] for one that isn't theirs; the store's.
    pub async fn revoke_token(&self, name: &str, actor: &str) -> Result<(), StoreError> {
        if !self.tokens().await?.iter().any(|token| token.name == name) {
            let name = name.to_owned();
            return Err(StoreError::TokenMissing { name });
        }
        self.people.revoke_token(name, actor).await
    }

    /// Counts a try to guess their present password: see [`People::attempt`].
    ///
    /// # Errors
    /// The store's.
    pub async fn attempt(&self, free: u32) -> Result<Attempt, StoreError> {
        self.people.attempt(&self.counted(), free).await
    }

    /// It was right: the tries are forgotten.
    ///
    /// # Errors
    /// The store's.
    pub async fn clear_attempts(&self) -> Result<(), StoreError> {
        self.people.clear_attempts(&self.counted()).await
    }

    /// Their password, if they may sign in by one.
    ///
    /// # Errors
    /// The store's.
    pub async fn password(&self) -> Result<Option<PasswordHash>, StoreError> {
        self.people.password(&self.user).await
    }

    /// Gives them another password; all of their sessions end but the one that is named.
    ///
    /// # Errors
    /// The store's.
    pub async fn set_password(
        &self,
        password: &PasswordHash,
        but: Option<&str>,
        actor: &str,
    ) -> Result<(), StoreError> {
        let people = &self.people;
        people.set_password(&self.user, password, but, actor).await
    }

    /// Under which name the tries are counted: those to sign in are counted apart.
    fn counted(&self) -> String {
        format!("password:{}", self.user)
    }
}
